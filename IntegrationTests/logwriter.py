"""A process that writes PostgreSQL's csvlog and jsonlog at a rate, and rotates them in every way that is seen in the field.

    with Writer(folder, seed=1, rate=5000, forms=("csv", "json"), schemes=SCHEMES, tables={"csv": ..., "json": ...}) as writer: ...

Records are pgaudit's and those around them (connections, errors), of sessions whose lines count from 1 without a gap. Every record is another
text; each pgaudit record carries its number as object name, `live.t_<number>`. Writes end anywhere, rotations at record borders. What is
written stands before in a journal of the writer's own: `journal.<form>`, each record behind its length (4 bytes, little endian).

The schemes:
  names          a new name at each rotation
  rename         logrotate's create: server.csv becomes server.csv.1, that one .2 and so on; some records follow under the new name
  truncate       three names in turn, each truncated in place when its turn comes again (`postgresql-%a`, log_truncate_on_rotation)
  copytruncate   the file is copied to a name that is read too, then truncated; nothing is written in between
  lost-copy      the same without a copy
  gzip, zstd     a finished file is compressed: written beside the original, in pieces, then the original is unlinked
  current        `current_logfiles` names the newest file
  vanish         while the reader is stopped files come, rotate and go; while it runs, old ones go when there are more than 40
  reuse          a finished file is unlinked and a new one made at once, often with the same inode
  first          every file begins with the same record, the one record that the lake may hold once or several times

What destroys bytes waits until the lake holds them: truncate, lost-copy, vanish, reuse, and the end of rename's chain. The lake is asked through
the table's own Delta log and data files. A wait has a bound, and fails with the file and the records that are missing.
"""
import array, gzip, json, multiprocessing, os, random, struct, sys, time, traceback
from collections import deque

SCHEMES = ("names", "rename", "truncate", "copytruncate", "lost-copy", "gzip", "zstd", "current", "vanish", "reuse", "first")
TICK = 0.01                                                            # seconds between two writes
PATIENCE = 90                                                          # seconds until a record that is not in the lake counts as lost
OBJECT = "live.t_"


# ---------------------------------------------------------------- records

TABLES = ("orders", "customers", "order_items", "payments", "events", "Größen")
STATEMENTS = (
    ("READ", "SELECT", "SELECT o.id, o.amount, c.name FROM sales.{t} o JOIN sales.customers c ON c.id = o.customer WHERE o.id = {n} AND o.status <> 'closed' ORDER BY o.created_at DESC LIMIT 50"),
    ("READ", "SELECT", "SELECT abalance FROM pgbench_accounts WHERE aid = {n}"),
    ("READ", "SELECT", "SELECT t.id,\n       t.\"Größe\",\n       t.note\nFROM sales.\"{t}\" t\nWHERE t.id = {n}\n  AND t.email LIKE '%@x.test'\n  AND t.note IS DISTINCT FROM 'a \"quoted\" word, and more'"),
    ("WRITE", "UPDATE", "UPDATE sales.{t}\nSET amount = amount + {n},\n    note = 'née, \"O''Neil\"'\nWHERE id = {n}"),
    ("WRITE", "INSERT", "INSERT INTO sales.{t}(customer, amount, doc) VALUES ({n}, 10.5, '{{\"k\": [1, 2], \"s\": \"x\\\\y\"}}') RETURNING id"),
    ("WRITE", "DELETE", "DELETE FROM sales.{t} WHERE id = {n} AND created_at < now() - interval '30 days'"),
    ("DDL", "CREATE INDEX", "CREATE INDEX ON sales.{t} (id, status) WHERE id > {n}"),
    ("MISC", "SET", "SET application_name = 'worker {n}'"),
)
PARAMETERS = ("<none>", "<not logged>", "17,open", '"a, ""b""",,3')


def quoted(s):
    return '"' + s.replace('"', '""') + '"' if s else ""


def payload(s):
    return '"' + s.replace('"', '""') + '"' if any(c in s for c in ',"\n\r') else s


class Session:
    """one backend: its fields, and what it has written so far"""

    def __init__(self, rng, number, start):
        self.pid, self.start, self.line, self.statement, self.transaction = 1000 + number, int(start), 0, 0, 0
        self.id, self.backend = f"{self.start:x}.{self.pid:x}", rng.randint(3, 60)
        self.user, self.database = rng.choice((("app", "shop"), ("report", "shop"), ("alice", "billing"), ("etl", "latin")))
        self.address = rng.choice(("[local]", f"10.0.0.{rng.randint(1, 250)}:{rng.randint(30000, 60000)}", f"2001:db8::{rng.randint(1, 99)}:{rng.randint(30000, 60000)}"))
        self.left = rng.randint(20, 400)
        self.begun = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.start))


class Records:
    """makes records, each in the forms that are asked for"""

    def __init__(self, rng, sessions=10):
        self.rng, self.number, self.sessions, self.made, self.count, self.width = rng, 0, [], 0, 0, sessions

    def stamp(self, now):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d} UTC"

    def record(self, now, s, tag, severity, state, message, detail="", query="", vxid="", known=True, query_id=0):
        s.line += 1
        self.count += 1
        return {"timestamp": self.stamp(now), "user": s.user if known else "", "dbname": s.database if known else "", "pid": s.pid, "remote": s.address, "session_id": s.id,
                "line_num": s.line, "ps": tag, "session_start": s.begun, "vxid": vxid, "error_severity": severity, "state_code": state, "message": message, "detail": detail,
                "statement": query, "application_name": "proof" if known else "", "query_id": query_id, "latin": s.database == "latin"}

    def next(self, now, must_be_audit=False):
        """the next record, and the number that stands in it or None"""
        rng = self.rng
        if len(self.sessions) < self.width and not (must_be_audit and self.sessions):
            self.made += 1
            s = Session(rng, self.made, now)
            self.sessions.append(s)
            host = s.address.rpartition(":")[0] or s.address
            return self.record(now, s, "", "LOG", "00000", f"connection received: host={host}", known=False), None
        s = rng.choice(self.sessions)
        if s.line == 1 and not must_be_audit:
            return self.record(now, s, "authentication", "LOG", "00000", f"connection authorized: user={s.user} database={s.database} application_name=proof", vxid=f"{s.backend}/1"), None
        if s.left <= 0 and not must_be_audit:
            return self.end(now, s), None
        s.left -= 1
        s.transaction += 1
        class_, command, text = STATEMENTS[rng.randrange(len(STATEMENTS))]
        text = text.format(t=TABLES[rng.randrange(len(TABLES))], n=rng.randint(1, 10**9))
        vxid, query_id = f"{s.backend}/{s.transaction + 1}", rng.randint(-2**63, 2**63 - 1)
        if not must_be_audit and rng.random() < 0.03:
            return self.record(now, s, command, "ERROR", "42501", "permission denied for table orders", query=text, vxid=vxid, query_id=query_id), None
        s.statement += 1
        self.number += 1
        message = f"AUDIT: SESSION,{s.statement},1,{class_},{command},TABLE,{OBJECT}{self.number},{payload(text)},{payload(PARAMETERS[rng.randrange(4)])}"
        return self.record(now, s, command, "LOG", "00000", message, vxid=vxid, query_id=query_id), self.number

    def end(self, now, s):
        self.sessions.remove(s)
        return self.record(now, s, "idle", "LOG", "00000", f"disconnection: session time: 0:00:01.000 user={s.user} database={s.database} host={s.address}")


def csvlog(r):
    line = (f'{r["timestamp"]},{quoted(r["user"])},{quoted(r["dbname"])},{r["pid"]},"{r["remote"]}",{r["session_id"]},{r["line_num"]},{quoted(r["ps"])},{r["session_start"]},'
            f'{r["vxid"]},0,{r["error_severity"]},{r["state_code"]},{quoted(r["message"])},{quoted(r["detail"])},,,,,{quoted(r["statement"])},{1 if r["statement"] else ""},,'
            f'{quoted(r["application_name"])},"client backend",,{r["query_id"]}')
    return line.encode("latin-1" if r["latin"] else "utf-8")


def jsonlog(r):
    host, _, port = (r["remote"], "", "") if r["remote"] == "[local]" else r["remote"].rpartition(":")
    o = {"timestamp": r["timestamp"], "user": r["user"], "dbname": r["dbname"], "pid": r["pid"], "remote_host": host, "remote_port": int(port) if port else "",
         "session_id": r["session_id"], "line_num": r["line_num"], "ps": r["ps"], "session_start": r["session_start"], "vxid": r["vxid"], "txid": 0, "error_severity": r["error_severity"],
         "state_code": "" if r["state_code"] == "00000" else r["state_code"], "message": r["message"], "detail": r["detail"], "statement": r["statement"],
         "cursor_position": 1 if r["statement"] else "", "application_name": r["application_name"], "backend_type": "client backend", "query_id": r["query_id"]}
    return json.dumps({k: v for k, v in o.items() if v != ""}, ensure_ascii=False, separators=(",", ":")).encode("latin-1" if r["latin"] else "utf-8")


FORMS = {"csv": csvlog, "json": jsonlog}
CONSTANT = {"timestamp": "2026-11-20 23:59:59.999 UTC", "user": "", "dbname": "", "pid": 1, "remote": "[local]", "session_id": "6b000000.1", "line_num": 1, "ps": "",
            "session_start": "2026-11-20 23:59:59 UTC", "vxid": "", "error_severity": "LOG", "state_code": "00000", "message": "ending log output to stderr", "detail": "",
            "statement": "", "application_name": "", "query_id": 0, "latin": False}


def without_remote(record, form):
    """the first record of a file has no client"""
    return record.replace(b'"[local]"', b"", 1) if form == "csv" else record.replace(b'"remote_host":"[local]",', b"", 1)


# ---------------------------------------------------------------- what the lake holds

class Arrivals:
    """the versions of a Delta table as they appear, and the numbers in their rows"""

    def __init__(self, table):
        self.folder, self.table, self.next, self.numbers, self.rows = os.path.join(table, "_delta_log"), table, 0, set(), 0

    def versions(self):
        """(version, paths of the data files it brought) of those that are new; a merge of files brings none"""
        while os.path.exists(path := os.path.join(self.folder, f"{self.next:020}.json")):
            with open(path, encoding="utf-8") as f:
                actions = [json.loads(line) for line in f if line.strip()]
            yield self.next, [os.path.join(self.table, a["add"]["path"]) for a in actions if "add" in a and a["add"].get("dataChange", True)]
            self.next += 1

    def poll(self):
        import pyarrow.compute as pc, pyarrow.parquet as pq
        for _, paths in self.versions():
            for path in paths:
                column = pq.ParquetFile(path).read(columns=["object_name"], use_threads=False).column(0)
                self.rows += len(column)
                column = pc.cast(column, "string")
                found = pc.filter(column, pc.fill_null(pc.starts_with(column, OBJECT), False))
                self.numbers.update(pc.cast(pc.utf8_slice_codeunits(found, len(OBJECT)), "int64").to_pylist())


class Lost(Exception):
    """the lake does not hold in time what it has to"""


# ---------------------------------------------------------------- files

class File:
    def __init__(self, path):
        self.path, self.numbers = path, set()


class Log:
    """the log files of one form, in a folder of their own"""

    def __init__(self, writer, form, folder, table):
        self.writer, self.form, self.folder, self.rng, self.schemes = writer, form, folder, writer.rng, writer.schemes
        self.arrivals, self.make = Arrivals(table) if table else None, FORMS[form]
        self.journal = open(os.path.join(folder, "..", f"journal.{form}"), "ab")
        self.kept, self.chain, self.days, self.held, self.serial, self.counts = [], [], {}, b"", 0, {}
        self.ways = [s for s in self.schemes if s not in ("current", "vanish", "first")] or ["names"]
        self.file = self.fd = None
        self.times = deque()                                           # numbers whose end is not yet written
        self.rotate()

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # --- writing

    def add(self, record, number):
        data = self.make(record)
        self.journal.write(struct.pack("<I", len(data)) + data)
        self.held += data + b"\n"
        if number is not None:
            self.file.numbers.add(number)
            self.times.append((self.at + len(self.held), number))

    def write(self, whole=False):
        """writes what there is, all or up to some byte of the last record"""
        self.journal.flush()
        end = len(self.held) if whole or self.rng.random() < 0.5 else max(0, len(self.held) - self.rng.randint(0, 300))
        at = 0
        while at < end:
            to = min(end, at + (1 << 20 if whole else self.rng.choice((1 << 20, 1 << 20, 4096, 777))))
            at += os.write(self.fd, self.held[at:to])
        self.held = self.held[end:]
        self.at += end
        now = time.monotonic_ns()
        while self.times and self.times[0][0] <= self.at:
            self.writer.written.extend((self.times.popleft()[1], now))

    # --- opening and closing

    def finish(self):
        """writes all, and for an end a record that has a number"""
        record, number = self.writer.records.next(time.time(), must_be_audit=True)
        for log in self.writer.logs:
            log.add(record, number)
        self.write(whole=True)

    def close(self, last=False):
        """ends the current file at a record border"""
        if self.fd is not None:
            self.write(whole=True) if last else self.finish()
            os.close(self.fd)
            self.fd = None

    def open(self, path, truncate=False):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | (os.O_TRUNC if truncate else 0), 0o640)
        self.file = File(path)
        self.begin()
        if "current" in self.schemes:
            temporary = os.path.join(self.folder, "current_logfiles.tmp")
            with open(temporary, "w") as f:
                f.write(f"{self.form}log {path}\n")
            os.rename(temporary, os.path.join(self.folder, "current_logfiles"))

    def begin(self):
        self.at, self.held = 0, b""
        if "first" in self.schemes:
            self.held = without_remote(self.make(CONSTANT), self.form) + b"\n"

    def name(self):
        self.serial += 1
        return os.path.join(self.folder, f"postgresql-2026-11-21_{self.serial:06d}.{self.form}")

    def ask(self, file, why):
        """waits until the lake holds a file"""
        end = time.monotonic() + PATIENCE
        while True:
            self.arrivals.poll()
            missing = file.numbers - self.arrivals.numbers
            if not missing:
                return
            if time.monotonic() > end:
                raise Lost(f"{why}: {file.path} has {len(file.numbers)} records, of which {len(missing)} did not reach the lake in {PATIENCE} s; numbers {sorted(missing)[:5]} …")
            self.writer.answer(busy=True)
            time.sleep(0.05)

    def committed(self, files):
        self.arrivals.poll()
        return [f for f in files if not f.numbers - self.arrivals.numbers]

    def finished(self):
        """files that get no further record, oldest first"""
        return [f for f in self.kept if f.path.rpartition("/")[2] not in (f"copied.{self.form}", f"emptied.{self.form}")]

    # --- the schemes

    def rotate(self, way=None):
        way = way or self.rng.choice(self.ways)
        self.count(way)
        getattr(self, "by_" + way.replace("-", "_"))()
        if "vanish" in self.schemes and len(self.finished()) > 40:
            for file in self.committed(self.finished()[:20]):
                os.unlink(file.path)
                self.kept.remove(file)
                self.count("vanished")

    def retire(self):
        """the current file is finished"""
        if self.file is not None:
            self.close()
            if self.file.path.endswith(f"/server.{self.form}"):
                return                                                 # waits for its next rename
            if self.file not in self.days.values() and self.file not in self.kept:
                self.kept.append(self.file)

    def by_names(self):
        self.retire()
        self.open(self.name())

    def by_rename(self):
        path = os.path.join(self.folder, f"server.{self.form}")
        if self.file is not None and self.file.path == path:           # as logrotate does: the writer goes on under the new name until it is told
            file = self.file
            self.shift(self.chain, path)
            os.rename(path, path + ".1")
            file.path = path + ".1"
            self.chain.insert(0, file)
            for _ in range(self.rng.randint(0, 20)):
                self.writer.emit_one()
            self.close()
        else:
            self.retire()
            if os.path.exists(path):
                self.shift(self.chain, path)
                old = self.waiting
                os.rename(path, path + ".1")
                old.path = path + ".1"
                self.chain.insert(0, old)
        self.open(path)
        self.waiting = self.file

    def shift(self, chain, path):
        """makes room for number 1; the ninth goes when the lake holds it"""
        if len(chain) >= 8:
            last = chain.pop()
            self.ask(last, "rename")
            os.unlink(last.path)
        for index in range(len(chain) - 1, -1, -1):
            old, ending = chain[index], next((e for e in (".gz", ".zst") if chain[index].path.endswith(e)), "")
            new = f"{path}.{index + 2}{ending}"
            os.rename(old.path, new)
            old.path = new

    def by_truncate(self):
        self.retire()
        turn = self.counts["truncate"] % 3
        path = os.path.join(self.folder, f"postgresql-{('Mon', 'Tue', 'Wed')[turn]}.{self.form}")
        if turn in self.days:
            self.ask(self.days[turn], "truncate in place")
        self.open(path, truncate=True)
        self.days[turn] = self.file

    def by_copytruncate(self):
        path = os.path.join(self.folder, f"copied.{self.form}")
        if self.file is None or self.file.path != path:
            self.retire()
            self.kept = [f for f in self.kept if f.path != path]
            if os.path.exists(path) and os.path.getsize(path):         # what it still has is finished, so it can be put away first
                self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
                self.put_away(path, self.copying)
            else:
                self.open(path)
                self.copying = self.file
            return
        self.finish()
        self.put_away(path, self.file)

    def put_away(self, path, file):
        self.serial += 1
        copy = f"{path}.{self.serial}"
        with open(path, "rb") as source, open(copy, "wb") as target:
            while piece := source.read(64 << 10):
                target.write(piece)
        os.truncate(path, 0)
        done = File(copy)
        done.numbers = file.numbers
        self.kept.append(done)
        self.file = self.copying = File(path)
        self.begin()

    def by_lost_copy(self):
        path = os.path.join(self.folder, f"emptied.{self.form}")
        if self.file is None or self.file.path != path:
            self.retire()
            self.kept = [f for f in self.kept if f.path != path]
            if os.path.exists(path):
                self.ask(self.emptying, "lost-copy")
                os.truncate(path, 0)
            self.open(path)
        else:
            self.finish()
            self.ask(self.file, "lost-copy")
            os.truncate(path, 0)
            self.file = File(path)
            self.begin()
        self.emptying = self.file

    def by_gzip(self):
        self.compressed(".gz", lambda data: gzip.compress(data, 1))

    def by_zstd(self):
        import pyarrow
        self.compressed(".zst", lambda data: pyarrow.compress(data, codec="zstd", asbytes=True))

    def compressed(self, ending, compress):
        self.by_names()
        files = [f for f in [*self.chain[::-1], *self.finished()] if not f.path.endswith((".gz", ".zst"))]
        if not files:
            return
        file = files[-1] if self.rng.random() < 0.6 else self.rng.choice(files)
        with open(file.path, "rb") as f:
            data = compress(f.read())
        with open(file.path + ending, "wb", buffering=0) as f:
            third = len(data) // 3 + 1
            for at in range(0, len(data), third):
                f.write(data[at:at + third])
                if self.rng.random() < 0.3:
                    time.sleep(0.02)
        times = os.stat(file.path)                                     # gzip, zstd and logrotate keep them: they tell the order of files
        os.utime(file.path + ending, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.unlink(file.path)
        file.path += ending

    def by_reuse(self):
        self.retire()
        candidates = self.finished()
        ready = self.committed(candidates)
        if not ready and candidates:
            self.ask(candidates[0], "reuse")
            ready = [candidates[0]]
        path = self.name()
        if ready:
            file = self.rng.choice(ready)
            before = os.stat(file.path).st_ino
            os.unlink(file.path)
            self.kept.remove(file)
            self.open(path)
            if os.fstat(self.fd).st_ino == before:
                self.count("same inode")
        else:
            self.open(path)

    def while_stopped(self):
        """files come, rotate and go"""
        for _ in range(self.rng.randint(1, 3)):
            for _ in range(self.rng.randint(0, 200)):
                self.writer.emit_one()
            self.rotate(self.rng.choice([w for w in self.ways if w in ("names", "rename", "gzip", "zstd")] or ["names"]))
        for file in self.committed(self.finished()):
            if self.rng.random() < 0.7:
                os.unlink(file.path)
                self.kept.remove(file)
                self.count("vanished")


# ---------------------------------------------------------------- the process

class Body:
    """what runs in the writer's process"""

    def __init__(self, pipe, folder, seed, rate, forms, schemes, tables, period):
        self.pipe, self.rng, self.rate, self.schemes, self.period = pipe, random.Random(seed), rate, schemes, period
        self.records, self.logs, self.written, self.folder, self.stopping = Records(self.rng), [], array.array("q"), folder, False
        for form in forms:
            os.makedirs(os.path.join(folder, form), exist_ok=True)
            self.logs.append(Log(self, form, os.path.join(folder, form), tables.get(form)))

    def emit_one(self):
        record, number = self.records.next(time.time())
        for log in self.logs:
            log.add(record, number)

    count = property(lambda self: self.records.count)

    def answer(self, busy=False):
        """does what the test asks for; while it waits for the lake only the least"""
        while self.pipe.poll():
            word = self.pipe.recv()
            if word == "stop":
                self.stopping = True
            elif word == "stopped":                                    # the reader is
                if not busy:
                    for log in self.logs:
                        log.while_stopped()
                self.pipe.send("busy" if busy else "done")

    def run(self):
        started = time.monotonic()
        turns = [started + self.rng.uniform(*self.period) for _ in self.logs]
        while not self.stopping:
            now = time.monotonic()
            due = int((now - started) * self.rate) - self.count
            if due > 2 * self.rate:                                    # after a long wait; the rate counts from here on
                started += (due - 2 * self.rate) / self.rate
                due = 2 * self.rate
            for _ in range(min(due, 2000)):
                self.emit_one()
            for index, log in enumerate(self.logs):
                log.write()
                if now >= turns[index]:
                    log.rotate()
                    turns[index] = time.monotonic() + self.rng.uniform(*self.period)
            self.answer()
            time.sleep(max(0, TICK - (time.monotonic() - now)))
        seconds = time.monotonic() - started
        while self.records.sessions:
            record = self.records.end(time.time(), self.records.sessions[0])
            for log in self.logs:
                log.add(record, None)
        for log in self.logs:
            log.close(last=True)
            log.journal.close()
        import numpy
        numpy.save(os.path.join(self.folder, "written.npy"), numpy.array(self.written).reshape(-1, 2))
        return {"records": self.count, "numbers": self.records.number, "seconds": seconds, "counts": {log.form: log.counts for log in self.logs},
                "files": {log.form: len(log.kept) + len(log.chain) + len(log.days) for log in self.logs}}


def body(pipe, *settings):
    try:
        pipe.send(("ended", Body(pipe, *settings).run()))
    except Lost as e:
        pipe.send(("lost", str(e)))
    except Exception:                                                  # the writer's own fault; the test says so
        pipe.send(("broken", traceback.format_exc()))


class Writer:
    """the writer as the test sees it"""

    def __init__(self, folder, seed, rate, forms=("csv",), schemes=("names",), tables=(), period=(0.3, 1.5)):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.folder, self.result = folder, None
        os.makedirs(folder, exist_ok=True)
        self.process = context.Process(target=body, args=(other, folder, seed, rate, tuple(forms), tuple(schemes), dict(tables), period), daemon=True)
        self.process.start()
        other.close()

    def receive(self, seconds):
        from harness import Failure
        if not self.pipe.poll(seconds):
            raise Failure("the writer does not answer")
        try:
            word = self.pipe.recv()
        except EOFError:
            raise RuntimeError("the writer has died")
        if isinstance(word, tuple):
            if word[0] == "ended":
                self.result = word[1]
            elif word[0] == "lost":
                raise Failure(word[1])
            else:
                raise RuntimeError(f"the writer: {word[1]}")
        return word

    def check(self):
        """raises when the writer has failed"""
        if self.pipe.poll():
            self.receive(0)

    def reader_is_stopped(self):
        """lets files come and go; whether they did"""
        self.check()
        self.pipe.send("stopped")
        return self.receive(PATIENCE + 30) == "done"

    def ask_to_stop(self):
        self.check()
        if self.result is None:
            self.pipe.send("stop")

    def stop(self):
        """ends the logs; what was written"""
        self.ask_to_stop()
        while self.result is None:
            self.receive(PATIENCE + 30)
        self.process.join()
        return self.result

    def journal(self, form):
        """the records, in order"""
        with open(os.path.join(self.folder, f"journal.{form}"), "rb") as f:
            while length := f.read(4):
                yield f.read(struct.unpack("<I", length)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.is_alive():
            self.process.terminate()
        self.process.join()
