"""What the fault tests share: a lake in a folder of its own, the real binary with its phase pipe, log files that grow and rotate, and an
exact reckoning at the end that uses none of auditlake's code (Examples/expected.py reads the logs, delta-rs and Log below the table).

The phase pipe: with AUDITLAKE_PHASE_FD=n auditlake writes one byte to descriptor n at the start of each phase. The pipe is in packet mode
(O_DIRECT) and one page long, so it holds one byte: a process is never more than one phase ahead of its reader.
"""
import argparse, fcntl, glob, json, os, random, select, shutil, signal, subprocess, sys, tempfile, time
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(ROOT, "Examples")]
import engines, expected

PHASES = {b"r": "read", b"d": "data file", b"p": "plan", b"c": "commit", b"k": "checkpoint", b"t": "receipt"}
PIPELINE, NODE, ROLE, TABLE = "pg", "pg1", "primary", "pg.logs"
WRITE = {"x86_64": "1", "aarch64": "64"}.get(os.uname().machine)          # the number of the system call
PATIENCE = 120                                                         # seconds until a process that says nothing counts as hanging


class Failure(Exception):
    """something that auditlake did wrong"""


# ---------------------------------------------------------------- the binary

class Workspace:
    """a folder with a configuration, logs and a lake"""

    pipeline, main_table = PIPELINE, TABLE

    def __init__(self, binary, folder, files="logs/*.csv", **keys):
        self.binary, self.folder = binary, folder
        self.logs, self.lake = os.path.join(folder, "logs"), os.path.join(folder, "lake")
        os.makedirs(self.logs, exist_ok=True)
        self.configure(files, **keys)

    def configure(self, files="logs/*.csv", lake="./lake", table=TABLE, extra="", **keys):
        settings = {"kind": "postgres", "source": "{files: %s}" % json.dumps(files), "role": ROLE, "node": NODE, "table": table} | keys
        self.write_configuration(settings, lake, extra)

    def write_configuration(self, settings, lake="./lake", extra=""):
        with open(os.path.join(self.folder, "auditlake.yaml"), "w") as f:
            f.write(f"lake: {lake}\npipelines:\n  {self.pipeline}:\n" + "".join(f"    {k}: {v}\n" for k, v in settings.items()) + extra)

    def run(self, *arguments, **options):
        """runs to the end; what it says is in stdout and stderr"""
        arguments = arguments or ("run", "--once", "--format", "json", "--log-level", "error")
        options = {"env": environment(), "timeout": 10 * PATIENCE} | options
        return subprocess.run([self.binary, *arguments], cwd=self.folder, capture_output=True, text=True, errors="replace", **options)

    def drain(self):
        """a run that must end well; its report"""
        done = self.run()
        if done.returncode != 0 or done.stderr:
            raise Failure(f"run --once ended with {done.returncode} and said: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout)

    def start(self, *arguments):
        return Run(self, *arguments)

    def place(self, name):
        """the folder of a table, schema.table"""
        return os.path.join(self.lake, "main", *name.split(".", 1))

    def has(self, name):
        """whether a table, schema.table, has a log"""
        return os.path.isdir(os.path.join(self.place(name), "_delta_log"))

    @property
    def table(self):
        return self.place(self.main_table)

    @property
    def quarantine(self):
        return self.place(f"_auditlake.quarantine_{self.pipeline}")

    @property
    def tables(self):
        """every table that the pipeline may have, schema.table"""
        return [self.main_table, f"_auditlake.quarantine_{self.pipeline}"]

    def remove(self, path):
        """takes a file out of the lake"""
        os.remove(path)

    @property
    def shard(self):
        return os.path.join(self.lake, "_auditlake", self.pipeline, "0")

    def numbers(self, kind):
        """the batches that have a plan or receipt"""
        folder = os.path.join(self.shard, kind)
        return sorted(int(n[:20]) for n in os.listdir(folder) if n.endswith(".json") and not n.startswith(".")) if os.path.isdir(folder) else []

    def read(self, kind, batch):
        with open(os.path.join(self.shard, kind, f"{batch:020}.json")) as f:
            return json.load(f)


def environment(**more):
    return {k: v for k, v in os.environ.items() if k != "AUDITLAKE_PHASE_FD"} | more


class Run:
    """a process under way, stopped by whoever does not read its phases"""

    def __init__(self, workspace, *arguments, command=("run", "--once", "--log-level", "error")):
        self.reader, writer = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        self.said = tempfile.TemporaryFile()
        self.process = subprocess.Popen([workspace.binary, *command, *arguments], cwd=workspace.folder, pass_fds=[writer], stdin=subprocess.DEVNULL,
                                        stdout=self.said, stderr=self.said, env=environment(AUDITLAKE_PHASE_FD=str(writer)))
        os.close(writer)
        self.writer, self.last = writer, b""

    def next(self):
        """the next phase's byte; b"" when the process has ended"""
        ready, _, _ = select.select([self.reader], [], [], PATIENCE)
        if not ready:
            self.process.kill()
            raise Failure(f"the process hangs after phase {PHASES.get(self.last)}")
        byte = os.read(self.reader, 1)
        if byte in PHASES:
            self.last = byte
        return byte

    def hold(self):
        """keeps it from beginning another phase, by a byte of our own in the pipe; nothing when it has begun one already"""
        writer = os.open(f"/proc/self/fd/{self.reader}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK | os.O_DIRECT)
        try:
            os.write(writer, b"-")
        except BlockingIOError:
            pass
        os.close(writer)

    def kill(self):
        """kills it; the phase in which it died, or None when it had ended before"""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        while self.next():                                             # what it had told before it died
            pass
        os.close(self.reader)
        return self.last if self.process.returncode == -signal.SIGKILL else None

    def hold_before(self, count):
        """lets it go through `count` phases and keeps it where it is about to begin the next"""
        for _ in range(count - 1):
            if not self.next():
                raise Failure(f"a run ended early with {self.process.wait()} and said: {self.words()}")
        select.select([self.reader], [], [], PATIENCE)                 # the last of them is begun; unread, it keeps the next from being told
        folder, end = f"/proc/{self.process.pid}/task", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for thread in os.listdir(folder):
                try:
                    with open(os.path.join(folder, thread, "syscall")) as f:
                        call = f.read().split()
                except (FileNotFoundError, ProcessLookupError):            # the thread has ended meanwhile
                    continue
                if call and call[0] == WRITE and int(call[1], 16) == self.writer:
                    return
            os.sched_yield()
        raise Failure("a run did not come to a halt")

    def finish(self):
        """lets it run to its end"""
        while self.next():
            pass
        self.process.wait()
        os.close(self.reader)
        return self.process.returncode

    def words(self):
        self.said.seek(0)
        return self.said.read().decode("utf-8", "replace").strip()


class Killer:
    """kills runs in phases of choice, and looks over what is left each time"""

    MOST_LATE = 100                                                    # kills that came too late one after the other: more are a test that goes nowhere

    def __init__(self, a, rng, killed=lambda workspace: None, located=lambda kind: kind):
        """`killed`: told of every lake in which a process died; `located`: the kind of workspace that is like another, with its lake where it is wanted"""
        self.a, self.rng, self.killed, self.located, self.counts, self.late, self.late_at_once, self.merging = a, rng, killed, located, Counter(), 0, 0, 0

    def workspace(self, kind, folder, *files, **keys):
        return self.located(kind)(self.a.binary, folder, *files, **keys)

    @property
    def total(self):
        return sum(self.counts.values())

    def target(self, phases):
        """one of the phases that have the fewest kills so far"""
        fewest = min(self.counts[p] for p in phases)
        return self.rng.choice([p for p in phases if self.counts[p] == fewest])

    def delay(self, most=0.005):
        return self.rng.choice([0, self.rng.uniform(0, most / 10), self.rng.uniform(0, most / 3), self.rng.uniform(0, most)])

    def kill(self, workspace, phase, occurrence, delay, batches=0):
        """one run, killed at an occurrence of a phase after a number of batches; False when it ended before"""
        is_held = self.rng.random() < 0.75
        run = workspace.start()
        seen = done = 0
        while byte := run.next():
            done += byte == b"t"
            seen += byte == phase and done >= batches
            if seen == occurrence:
                if delay:
                    if is_held:
                        run.hold()
                    time.sleep(delay)                                  # the instant of the kill, nothing waits for it
                died = run.kill()
                break
        else:
            died = None
            run.finish()
        if died is None:
            self.late += 1
            if run.process.returncode != 0:
                raise Failure(f"a run ended with {run.process.returncode} and said: {run.words()}")
            self.late_at_once += 1
            if self.late_at_once > self.MOST_LATE:
                raise Failure(f"{self.late_at_once} runs one after the other ended before their kill in phase {PHASES[phase]}")
            return False
        self.late_at_once = 0
        self.counts[died] += 1
        self.killed(workspace)
        if problems := standing(workspace):
            raise Failure(f"after a kill in phase {PHASES[died]}: " + "; ".join(problems))
        return True


# ---------------------------------------------------------------- log files that grow

class Feeder:
    """writes log files piece by piece, as a server and its log rotation do: appends that end anywhere, renames at record borders"""

    def __init__(self, sources, folder, rng, generations=3):
        self.folder, self.rng, self.files, self.renamed, self.last = folder, rng, [], 0, None
        for index, path in enumerate(sources):
            with open(path, "rb") as f:
                data = f.read()
            borders = [offset for offset, record in expected.records(data) if offset and record is not None]
            cuts = sorted(rng.sample(borders, min(rng.randint(0, generations - 1), len(borders))))
            parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
            self.files.append([os.path.join(folder, f"{index}-{os.path.basename(path)}"), parts, 0])

    @property
    def left(self):
        return sum(sum(map(len, parts)) - at for _, parts, at in self.files)

    def feed(self, most, rotate=True):
        """appends up to `most` bytes to one of the files, after a rotation where a part has ended; without `rotate`, only to one that needs none"""
        files = [f for f in self.files if f[1] and (rotate or f[2] < len(f[1][0]))]
        if not files:
            return
        file = self.rng.choice(files)
        if file is not self.last:
            self.finish_record()
        self.last = file
        path, parts, at = file
        if at == len(parts[0]):                                        # what follows comes into a new file of the same name
            parts.pop(0)
            file[2] = at = 0
            if parts or self.rng.random() < 0.5:
                self.renamed += 1
                os.rename(path, f"{path}.{self.renamed}")
            if not parts:
                return
        self.append(file, at + self.rng.randint(1, most))

    def append(self, file, upto):
        path, parts, at = file
        piece = parts[0][at:upto]
        with open(path, "ab") as f:
            f.write(piece)
        file[2] += len(piece)

    def finish_record(self):
        """a server goes on to another file at a record border"""
        if self.last and self.last[1] and self.last[2] < len(self.last[1][0]):
            _, parts, at = self.last
            ends = [offset for offset, _ in expected.records(parts[0]) if offset >= at]
            self.append(self.last, min(ends, default=len(parts[0])))

    def feed_all(self, most=1 << 30):
        while self.left:
            self.feed(most)


# ---------------------------------------------------------------- the reckoning

class Log(engines.Log):
    """also the transactions of a table, by appId"""

    def __init__(self, table):
        self.transactions = {}
        super().__init__(table)

    def apply(self, action):
        super().apply(action)
        if t := action.get("txn"):
            self.transactions[t["appId"]] = t["version"]


def live_files(log):
    for path, add in log.adds.items():
        file = log.file(path)
        if not os.path.exists(file):
            yield f"{file} is in the log but not on disk"
        elif os.path.getsize(file) != add["size"]:
            yield f"{file} has {os.path.getsize(file)} bytes, the log says {add['size']}"


def standing(workspace):
    """what may never be wrong, whenever the process died: a list of problems"""
    problems = []
    plans, receipts = workspace.numbers("plans"), workspace.numbers("receipts")
    for kind, numbers in ("plans", plans), ("receipts", receipts):
        if numbers != list(range(1, len(numbers) + 1)):
            problems.append(f"{kind} are not 1 … {len(numbers)}: {numbers[:3]} … {numbers[-3:]}")
    if not len(receipts) <= len(plans) <= len(receipts) + 1:
        problems.append(f"{len(plans)} plans, {len(receipts)} receipts")
    if not plans:
        return problems
    app = workspace.read("plans", 1)["appID"]
    received = {t["name"]: t["lastBatch"] for t in workspace.read("receipts", len(receipts))["tables"]} if receipts else {}
    for name in workspace.tables:
        table = workspace.place(name)
        if not glob.glob(os.path.join(glob.escape(table), "_delta_log", "*.json")):
            continue
        log = Log(table)
        problems += live_files(log)
        if not log.transactions.get(app, 0) <= len(plans):
            problems.append(f"{table}: txn {log.transactions[app]}, but {len(plans)} plans")
        if log.transactions.get(app, 0) < received.get(f"main.{name}", 0):
            problems.append(f"{table}: txn {log.transactions.get(app)}, but the last receipt says {received[f'main.{name}']}")
    return problems


def reckon(workspace, logs, redacted=True, show=5, quarantined=None):
    """the whole table against an independent reading of the logs, when all is drained: a list of problems

    quarantined: rows of the quarantine; None for as many as the logs have damaged records"""
    import compare                                                     # of Examples, beside expected
    problems = standing(workspace)
    plans, receipts = workspace.numbers("plans"), workspace.numbers("receipts")
    if plans != receipts:
        problems.append(f"{len(plans)} plans, {len(receipts)} receipts")
        return problems
    log = Log(workspace.table)

    # The batches: without gap or overlap, and each in the table under its own time.
    ends, app, by_time, last_time = {}, None, Counter(), 0
    for n in plans:
        plan, receipt = workspace.read("plans", n), workspace.read("receipts", n)
        app = app or plan["appID"]
        if (plan["batch"], receipt["batch"], plan["appID"]) != (n, n, app):
            problems.append(f"batch {n}: the plan says {plan['batch']} of {plan['appID']}, the receipt {receipt['batch']}")
        for r in plan["ranges"]:
            if r["from"] != ends.get(r["file"]["id"], 0):
                problems.append(f"batch {n}: {r['file']['path']} from {r['from']}, but the batch before ended at {ends.get(r['file']['id'], 0)}")
            ends[r["file"]["id"]] = r["file"]["offset"]
        if plan["plannedAt"] < last_time:
            problems.append(f"batch {n}: planned before its predecessor")
        last_time = plan["plannedAt"]
        by_time[plan["plannedAt"]] += receipt["tables"][-1]["rows"]
    if plans:
        want = receipt["tables"][-1]["lastBatch"]
        if log.transactions != {app: want}:
            problems.append(f"transactions {log.transactions}, the last receipt says {want} of {app}")
        last = max((n for n in plans if workspace.read("receipts", n)["tables"][-1]["rows"]), default=0)
        if last != want:
            problems.append(f"the last batch with rows is {last}, the last receipt says {want}")

    # The rows.
    rows, damaged = expected.read(logs, ROLE, NODE)
    wanted = {(NODE, r["session_id"], r["extra"].get("session_line_num"), r["event_time"]): r for r in rows}
    if len(wanted) != len(rows):
        raise ValueError("the log files have a record twice")
    table = engines.read("deltalake", workspace.table, ["event_time", "session_id", "extra", "ingest_ts", "src", "raw"])
    seen, times, wrong = Counter(), Counter(), Counter()

    def problem(kind, text):
        wrong[kind] += 1
        if wrong[kind] <= show:
            problems.append(f"{kind}: {text}")

    for batch in table.to_batches():
        columns = [batch.column(c).view("int64").to_pylist() if c in ("event_time", "ingest_ts") else batch.column(c).to_pylist() for c in batch.schema.names]
        for time_, session, extra, ingested, src, raw in zip(*columns):
            extra = {e["key"]: e["value"] for e in extra}
            key = extra.get("node"), session, extra.get("session_line_num"), time_
            seen[key] += 1
            times[ingested] += 1
            row = wanted.get(key)
            if row is None:
                problem("row too many", f"{key} {raw[:200]!r}")
            elif seen[key] > 1:
                problem("doubled row", str(key))
            elif src != ROLE or raw != row["raw"] and not (redacted and compare.DELICATE.search(row["raw"]) and compare.blanked(row["raw"], raw)):
                problem("other raw", f"{key}: expected {row['raw'][:200]!r}, got {raw[:200]!r}")
    for key in wanted.keys() - seen.keys():
        problem("missing row", str(key))
    if times != +by_time:
        problem("rows of a batch", f"by the receipts {(+by_time - times).most_common(3)}, in the table {(times - by_time).most_common(3)}")
    held = engines.read("deltalake", workspace.quarantine, ["source_offset"]).num_rows if os.path.isdir(workspace.quarantine) else 0
    if held != (len(damaged) if quarantined is None else quarantined):
        problem("quarantine", f"{held} rows, expected {len(damaged)}: {damaged[:3]}")
    problems += [f"{kind}: {n} in all" for kind, n in wrong.items() if n > show]
    return problems


# ---------------------------------------------------------------- command lines

def arguments(description, logs=True, seed=True):
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "auditlake"), help="the auditlake to test (.build/release/auditlake)")
    p.add_argument("--work", metavar="DIR", help="where to work; a kill loses nothing that is written, so /dev/shm is as good as a disk and faster (it, else $TMPDIR)")
    p.add_argument("--keep", action="store_true", help="leave the folder there")
    if seed:
        p.add_argument("--seed", type=int, help="of everything random (a new one)")
    if logs:
        p.add_argument("--logs", nargs="+", default=sorted(glob.glob(os.path.join(ROOT, "Examples", "logs", "primary", "*.csv"))), help="csvlog files (Examples/logs/primary/*.csv)")
    return p


def prepare(a):
    """the arguments made whole, and the folder to work in"""
    a.binary = os.path.abspath(a.binary)
    if not os.access(a.binary, os.X_OK):
        sys.exit(f"{a.binary} is not there; build it with: swift build -c release --product auditlake")
    if "seed" in a and a.seed is None:
        a.seed = random.SystemRandom().randrange(1_000_000)
    base = a.work or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    if base:
        os.makedirs(base, exist_ok=True)
    return tempfile.mkdtemp(prefix="auditlake-", dir=base)


def conclude(a, folder, failed, started=None):
    """the last words of a test, and its exit status; the folder is left after a failure"""
    if started is not None:
        print(f"{time.monotonic() - started:.0f} s")
    if a.keep or failed:
        print(f"left in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    print("ok" if not failed else f"FAILED: run again with --seed {a.seed}" if "seed" in a else "FAILED")
    return 1 if failed else 0


# ---------------------------------------------------------------- tests that are a list of cases

CASES = []


def case(body):
    """a function that takes the bench and yields what it found good"""
    CASES.append(body)
    return body


def demand(truth, text):
    if not truth:
        raise Failure(text)


def good(w, *arguments):
    """what a command that has to end well printed"""
    done = w.run(*arguments)
    demand(done.returncode == 0, f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Bench:
    """what the cases work on: workspaces with logs, each in a folder of its own"""

    def __init__(self, a, folder):
        self.a, self.folder, self.rng, self.number = a, folder, random.Random(a.seed), 0

    def workspace(self, logs=None, **keys):
        self.number += 1
        w = Workspace(self.a.binary, os.path.join(self.folder, str(self.number)), **keys)
        for path in self.a.logs if logs is None else logs:
            shutil.copy(path, w.logs)
        return w


def run_cases(description, bench):
    """runs the cases of the program that the command line names, not those of modules that it imports; the exit status"""
    p = arguments(description)
    p.add_argument("--only", default="", metavar="WORD", help="cases with this word in their name")
    a = p.parse_args()
    folder = prepare(a)
    print(f"seed {a.seed}")
    b, failed, started = bench(a, folder), 0, time.monotonic()
    for body in CASES:
        if body.__module__ != "__main__" or a.only not in body.__name__:
            continue
        try:
            for line in body(b):
                print(f"ok: {line}", flush=True)
        except Failure as e:
            failed += 1
            print(f"FAILED: {body.__name__.replace('_', ' ')}: {str(e)[:1500]}", flush=True)
    return conclude(a, folder, failed, started)
