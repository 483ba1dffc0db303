#!/usr/bin/env python3
"""faults.py [--seed N] [--binary PATH] [--logs FILE...] [--only WORD]

What goes wrong in the field, one line a case: a full disk in each phase, files and folders that may not be read or written, input that is no log,
wrong configurations, lakes that were tampered with or come from a newer release, damaged records, forged audit records.

Every refusal has to be one message that says what, where and how to mend it, with the documented exit status and without Swift's own words;
afterwards nothing may be lost, and once the cause is gone the next run has to be exact. A full disk needs a mount of tmpfs, denied files
need root with setpriv, or no root at all; without, a line says `skipped:` and what was done in its place.

Exit status 1 when a case fails.
"""
import contextlib, json, os, re, resource, shutil, signal, subprocess, sys, warnings
import harness
from harness import ROOT, case, demand, engines, expected

STORAGE, CONFIGURATION, INPUT, STATE = 73, 65, 66, 76
SWIFT = re.compile(r"DecodingError|Error\.|Error\(|Optional\(|NSCocoa|Swift\.|Fatal error|Foundation|\bnil\b|0x[0-9a-f]{6}")


def refused(done, status, *words):
    """the message of a run that had to be refused"""
    said = done.stderr.strip()
    demand(done.returncode == status, f"exit status {done.returncode}, expected {status}; it said: {said or done.stdout.strip()}")
    demand(said.startswith("error: "), f"the message does not begin with `error: `: {said}")
    demand(not SWIFT.search(said), f"the message speaks Swift: {said}")
    demand(re.search(r"\n    \S", done.stderr), f"the message does not say how to mend it: {said}")
    for word in words:
        demand(word in said, f"the message does not say {word!r}: {said}")
    return said


def exact(w, logs, **more):
    """drains, and all is as it should be"""
    w.drain()
    problems = harness.reckon(w, logs, **more)
    demand(not problems, "; ".join(problems))


class Bench(harness.Bench):
    def __init__(self, a, folder):
        super().__init__(a, folder)
        self.plain = a.logs[0]

    def filled(self, logs=None, **keys):
        """a lake that holds its logs"""
        w = self.workspace(logs, **keys)
        w.drain()
        return w


# ---------------------------------------------------------------- full disk

class Disk:
    """a tmpfs of a size"""

    def __init__(self, place, size):
        self.place, self.filler = place, os.path.join(place, "filler")
        os.makedirs(place, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True, text=True)
        if done.returncode != 0:
            raise PermissionError(done.stderr.strip() or "mount failed")

    def fill(self):
        with open(self.filler, "ab", buffering=0) as f:
            for size in (1 << 16, 4096, 1):
                try:
                    while True:
                        f.write(b"x" * size)
                except OSError:
                    pass

    def free(self):
        os.remove(self.filler)

    def grow(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.place], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.place], check=True)


def disk_or_none(place, size):
    """a disk, or why there is none"""
    if os.getuid() != 0:
        return None, "not root, so no tmpfs of a size can be mounted"
    try:
        return Disk(place, size), None
    except (PermissionError, FileNotFoundError) as e:
        return None, str(e).split("\n")[0]


@case
def disk_full_in_every_phase(b):
    """the disk fills while the process stands at the beginning of a phase"""
    # r d p c t of batch 1 are phases 1 to 5; the 100th commit is followed by a checkpoint.
    places = {"data file": (1, "8kB"), "plan": (2, "8kB"), "commit": (3, "8kB"), "receipt": (4, "8kB"), "checkpoint": (500, "1B"), "commit of batch 40": (198, "2kB")}
    for name, (before, batch) in places.items():
        w = b.workspace(lake="./disk/lake", batch_bytes=batch)
        w.lake = os.path.join(w.folder, "disk", "lake")
        disk, reason = disk_or_none(os.path.join(w.folder, "disk"), "64m")
        if disk is None:
            print(f"skipped: full disk: {reason}; with a limit on the size of files instead")
            yield from file_sizes_limited(b)
            return
        with disk:
            run = w.start()
            run.hold_before(before)
            disk.fill()
            status = run.finish()
            said = run.words()
            demand(status == STORAGE, f"{name}: exit status {status}: {said}")
            refused(subprocess.CompletedProcess([], status, "", said), STORAGE, "no space left on the disk", w.lake, "free some space")
            problems = harness.standing(w)
            demand(not problems, f"{name}: {problems}")
            refused(w.run(), STORAGE, "no space left on the disk")     # still full
            disk.free()
            exact(w, b.a.logs)
        yield f"disk full at the beginning of phase {name}"


@case
def disk_of_a_size(b):
    """one batch into a disk too small for it, and the same disk grown"""
    disk, reason = disk_or_none(os.path.join(b.folder, "probe"), "1m")
    if disk is None:
        print(f"skipped: disks of several sizes: {reason}")
        return
    with disk:
        pass
    for size in (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256):
        w = b.workspace(lake="./disk/lake")
        w.lake = os.path.join(w.folder, "disk", "lake")
        with Disk(os.path.join(w.folder, "disk"), f"{size}k") as disk:
            done = w.run()
            if done.returncode == 0:
                word = "fits"
            else:
                where = re.search(r"cannot (.*?): no space", refused(done, STORAGE, "no space left on the disk", w.lake))
                word = where[1].replace(w.lake, "LAKE") if where else "?"
                problems = harness.standing(w)
                demand(not problems, f"{size}k: {problems}")
            disk.grow("64m")
            exact(w, b.a.logs)
        yield f"disk of {size} KiB ({re.sub('[0-9a-f-]{32,}', '…', word)})"


def file_sizes_limited(b):
    for size in (64, 300, 1000, 10_000, 60_000):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        w = b.workspace()
        refused(w.run(preexec_fn=limit), STORAGE, "File too large", w.lake)
        demand(not (problems := harness.standing(w)), problems)
        exact(w, b.a.logs)
        yield f"no file over {size} bytes"


# ---------------------------------------------------------------- permissions

class Nobody:
    """runs auditlake as a user without rights"""

    def __init__(self, b):
        self.prefix = []
        if os.getuid() == 0:
            if not shutil.which("setpriv"):
                raise PermissionError("root without setpriv")
            self.prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        os.chmod(b.folder, 0o755)
        self.binary, self.variables = b.a.binary, {}
        if subprocess.run([*self.prefix, self.binary, "--help"], capture_output=True).returncode != 0:
            home = os.path.join(b.folder, "binary")
            os.makedirs(home)
            libraries = re.findall(r"=> (/\S+)", subprocess.run(["ldd", self.binary], capture_output=True, text=True).stdout)
            for path in [self.binary, *(p for p in libraries if not p.startswith(("/lib", "/usr/lib")))]:
                shutil.copy(path, home)
            self.binary, self.variables = os.path.join(home, os.path.basename(self.binary)), {"LD_LIBRARY_PATH": home}

    def run(self, w, *arguments):
        arguments = arguments or ("run", "--once", "--format", "json", "--log-level", "error")
        return subprocess.run([*self.prefix, self.binary, *arguments], cwd=w.folder, capture_output=True, text=True, env=harness.environment(**self.variables))

    @contextlib.contextmanager
    def follow(self, w):
        """a run that follows, by the lines of its log"""
        command = [*self.prefix, self.binary, "run", "--follow", "--log-format", "json"]
        process = subprocess.Popen(command, cwd=w.folder, stderr=subprocess.PIPE, text=True, env=harness.environment(**self.variables))
        try:
            yield process.stderr
        finally:
            process.terminate()
            process.communicate()
        demand(process.returncode == 0, f"a run that was asked to stop ended with {process.returncode}")


def await_event(lines, event, text=""):
    """reads on to the log line of an event"""
    for line in lines:
        if json.loads(line).get("event") == event and text in line:
            return
    raise harness.Failure(f"the run ended before it told of {event} {text}")


def give(w):
    """the workspace to nobody"""
    if os.getuid() == 0:
        for folder, _, files in os.walk(w.folder):
            for path in [folder, *(os.path.join(folder, f) for f in files)]:
                os.chown(path, 65534, 65534)


def set_mode(top, mode):
    """the mode of a folder and of all below it"""
    folders = [folder for folder, _, _ in os.walk(top)]
    for folder in reversed(folders):
        os.chmod(folder, mode)


@case
def permissions(b):
    try:
        nobody = Nobody(b)
    except PermissionError as e:
        print(f"skipped: permissions: {e}")
        return
    w = b.workspace()
    give(w)
    path = os.path.join(w.logs, os.path.basename(b.a.logs[1]))
    os.chmod(path, 0)
    refused(nobody.run(w), INPUT, "permission denied", path)
    problems = harness.reckon(w, [log for log in b.a.logs if log != b.a.logs[1]])
    demand(not problems, "; ".join(problems))
    os.chmod(path, 0o644)
    demand(nobody.run(w).returncode == 0, "a run after the rights were given")
    exact(w, b.a.logs)
    yield "a log that may not be read; the others are in the table"

    w = b.workspace()
    give(w)
    path = os.path.join(w.logs, os.path.basename(b.a.logs[1]))
    os.chmod(path, 0)
    with nobody.follow(w) as lines:
        await_event(lines, "batch_committed")
        await_event(lines, "unreadable", path)
        os.chmod(path, 0o644)
        await_event(lines, "batch_committed")
        await_event(lines, "readable")
    exact(w, b.a.logs)
    yield "a log that may be read only later, while it is followed"

    w = b.workspace()
    give(w)
    os.chmod(w.logs, 0)
    refused(nobody.run(w), INPUT, "permission denied", w.logs)
    os.chmod(w.logs, 0o755)
    demand(nobody.run(w).returncode == 0, "a run after the rights were given")
    exact(w, b.a.logs)
    yield "a folder of logs that may not be listed"

    w = b.filled(b.a.logs[:1])
    for path in b.a.logs[1:]:
        shutil.copy(path, w.logs)
    set_mode(w.lake, 0o555)
    refused(nobody.run(w), STORAGE, "permission denied", w.lake)
    set_mode(w.lake, 0o755)
    exact(w, b.a.logs)
    yield "a lake that may not be written"

    w = b.workspace()
    os.chmod(w.folder, 0o555)
    refused(nobody.run(w), STORAGE, "permission denied", w.lake)
    os.chmod(w.folder, 0o755)
    exact(w, b.a.logs)
    yield "a lake that may not be made"


# ---------------------------------------------------------------- input that is none

@case
def odd_input(b):
    w = b.workspace()
    open(os.path.join(w.logs, "empty.csv"), "w").close()
    os.mkdir(os.path.join(w.logs, "folder.csv"))
    report = w.drain()
    demand(any("folder.csv" in r for r in report["remarks"]), f"no remark on the folder: {report['remarks']}")
    exact(w, b.a.logs)
    yield "an empty file and a folder that match"

    w = b.workspace()
    data = b.rng.randbytes(50_000) + b"\x00\xff\"\n"
    data += b'"\n' if data.count(b'"') % 2 else b""
    binary = os.path.join(w.logs, "binary.csv")
    with open(binary, "wb") as f:
        f.write(data)
    report = w.drain()
    held = engines.read("deltalake", w.quarantine).to_pylist()
    for row in held:
        raw = row["raw"].encode("latin-1" if row["raw_encoding"] else "utf-8")
        at, length = row["source_offset"], row["length"]
        demand(data[at:at + length].rstrip(b"\n") == raw.rstrip(b"\n"), f"bytes {at} to {at + length} of the binary file are not what the quarantine holds")
        demand(row["reason"] if "reason" in row else True, "a row of the quarantine without a reason")
    covered, waiting = sum(r["length"] for r in held), report["pending"].get(binary, 0)
    demand(len(data) - len(held) <= covered + waiting <= len(data), f"the quarantine holds {covered} of {len(data)} bytes, {waiting} wait")
    exact(w, b.a.logs, quarantined=len(held))
    yield f"a binary file: {len(held)} rows in the quarantine, its neighbours whole"

    w = b.workspace([])
    foreign = os.path.join(w.logs, "foreign.csv")
    for zone in "XYZT", "IST":
        with open(b.plain, "rb") as f, open(foreign, "wb") as out:
            out.write(f.read().replace(b" UTC,", f" {zone},".encode()))
        refused(w.run(), CONFIGURATION, foreign, "byte 0", zone, "timezone")
    w.configure(timezone="Asia/Kolkata")
    demand(w.drain()["rows"] > 0, "no rows with the setting timezone")
    yield "a time zone that is unknown or ambiguous, then named"

    w = b.workspace([])
    report = w.drain()
    demand(any("nothing matches" in r for r in report["remarks"]), f"no remark that nothing matches: {report['remarks']}")
    yield "no file matches"


# ---------------------------------------------------------------- configuration

@case
def configuration(b):
    w = b.workspace(b.a.logs[:1])
    path = os.path.join(w.folder, "auditlake.yaml")
    with open(path) as f:
        good = f.read()

    def wrong(old, new, *words):
        demand(old in good, old)
        with open(path, "w") as f:
            f.write(good.replace(old, new))
        refused(w.run(), CONFIGURATION, "auditlake.yaml:", *words)
        demand(not os.path.exists(w.lake), "a lake was made")

    wrong("    node:", "    nodes:", "unknown key", "did you mean “node”?", ":7:")
    yield "an unknown key, with the nearest one"
    wrong("lake: ./lake", "lake: ${AUDITLAKE_NOWHERE}/lake", "AUDITLAKE_NOWHERE is not set")
    yield "a variable that is not set"
    wrong("kind: postgres", "kind: [postgres", "not YAML")
    yield "no YAML"
    wrong("kind: postgres", "kind: postgras", "postgras", "postgres")
    yield "an unknown kind"
    wrong("    node: pg1\n", "    node: pg1\n    batch_bytes: lots\n", "batch_bytes")
    yield "a size that is none"
    wrong("    table: pg.logs\n", "", "table")
    yield "no table"
    os.remove(path)
    refused(w.run(), CONFIGURATION, "auditlake.yaml", "cannot be read", "auditlake init")
    yield "no configuration"
    with open(path, "w") as f:
        f.write(good)
    exact(w, b.a.logs[:1])


# ---------------------------------------------------------------- lakes that were tampered with

@case
def newer_formats(b):
    w = b.filled(b.a.logs[:2])
    shutil.copy(b.a.logs[2], w.logs)
    whole = {}

    def put(path, change):
        with open(path) as f:
            whole[path] = f.read()
        with open(path, "w") as f:
            f.write(change(whole[path]))

    def restore():
        for path, text in whole.items():
            with open(path, "w") as f:
                f.write(text)
        whole.clear()

    number = len(w.numbers("plans"))
    newest = {kind: os.path.join(w.shard, kind, f"{number:020}.json") for kind in ("plans", "receipts")}
    cases = {
        "a lake of a newer format": (os.path.join(w.lake, "_auditlake", "format.json"), lambda _: '{"format":99}', ("99", "newer release")),
        "a lake format that is none": (os.path.join(w.lake, "_auditlake", "format.json"), lambda _: "?", ("format.json", "restore")),
        "a newer plan": (newest["plans"], lambda s: s.replace('"format":3', '"format":99'), ("99", "newer release")),
        "a newer plan of another shape": (newest["plans"], lambda _: '{"format":99}', ("99", "newer release")),
        "a newer receipt": (newest["receipts"], lambda s: s.replace('"format":3', '"format":99'), ("99", "newer release")),
        "a plan cut short": (newest["plans"], lambda s: s[:40], (newest["plans"], "restore")),
        "a receipt cut short": (newest["receipts"], lambda s: s[:40], (newest["receipts"], "restore")),
        "a commit cut short": (os.path.join(w.table, "_delta_log", f"{1:020}.json"), lambda s: s[:40], (w.table, "restore")),
        "a table for newer readers": (os.path.join(w.table, "_delta_log", f"{1:020}.json"), lambda s: s + '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[],"writerFeatures":[]}}\n', (w.table, "reader version 3")),
    }
    for name, (path, change, words) in cases.items():
        put(path, change)
        refused(w.run(), STATE, *words)
        restore()
        demand(w.numbers("plans")[-1] == number, "a batch was planned")
        yield name
    exact(w, b.a.logs[:3])


@case
def tampered_lakes(b):
    def moved(w, path, *words):
        """a run without a file or folder is refused, leaves the table alone, and is exact when it is back"""
        hidden = os.path.join(w.folder, "hidden")
        before = harness.Log(w.table).version if not w.table.startswith(path) else None
        os.rename(path, hidden)
        refused(w.run(), STATE, *words)
        refused(w.run(), STATE, *words)
        demand(before is None or harness.Log(w.table).version == before, "the table was written")
        shutil.rmtree(path, ignore_errors=True)
        os.rename(hidden, path)
        exact(w, b.a.logs)

    def fresh():
        w = b.filled(b.a.logs[:3], batch_bytes="4kB")
        shutil.copy(b.a.logs[3], w.logs)
        return w

    w = fresh()
    moved(w, os.path.join(w.lake, "_auditlake"), w.table.rsplit("/", 3)[1], "bring")
    yield "_auditlake removed"
    w = fresh()
    moved(w, os.path.join(w.lake, "_auditlake", harness.PIPELINE), "bring")
    yield "a pipeline's folder removed"
    w = fresh()
    moved(w, os.path.join(w.shard, "plans"), "missing", "bring them back")
    yield "plans removed"
    w = fresh()
    moved(w, os.path.join(w.shard, "plans", f"{w.numbers('plans')[-1]:020}.json"), "missing", "bring them back")
    yield "the last plan removed"
    w = fresh()
    moved(w, os.path.join(w.shard, "receipts"), "receipts", "bring")
    yield "receipts removed"
    w = fresh()
    moved(w, w.table, "main.pg.logs", "bring it back")
    yield "a table removed"
    w = fresh()
    shutil.rmtree(os.path.join(w.shard, "state"))
    exact(w, b.a.logs)
    yield "state snapshots removed: rebuilt from the plans"
    w = fresh()
    hints = [os.path.join(w.shard, "head.json"), os.path.join(w.table, "_delta_log", "_last_checkpoint")]
    for path in hints:
        with open(path, "w") as f:
            f.write("{")
    w.drain()
    os.remove(hints[1])                                                # so that the reckoning can read the log
    exact(w, b.a.logs)
    w = fresh()
    os.remove(os.path.join(w.shard, "head.json"))
    exact(w, b.a.logs)
    yield "hints lost or damaged: done without"
    w = fresh()
    plan = os.path.join(w.shard, "receipts", f"{w.numbers('receipts')[-1]:020}.json")
    os.remove(plan)
    exact(w, b.a.logs)
    yield "the last receipt removed: made again"


@case
def tables_of_others(b):
    import deltalake, pyarrow as pa
    w = b.workspace()
    deltalake.write_deltalake(w.table, pa.table({"x": [1, 2, 3]}))
    refused(w.run(), STATE, "main.pg.logs", w.table)
    demand(engines.read("deltalake", w.table).num_rows == 3, "the other table was written")
    shutil.rmtree(w.table)
    exact(w, b.a.logs)
    yield "a table of other columns under the same name"

    other = b.filled()
    w = b.workspace()
    shutil.copytree(other.table, w.table)
    rows = engines.read("deltalake", w.table, ["src"]).num_rows
    refused(w.run(), STATE, "main.pg.logs", w.table)
    demand(engines.read("deltalake", w.table, ["src"]).num_rows == rows, "the other table was written")
    shutil.rmtree(w.table)
    exact(w, b.a.logs)
    yield "another lake's table under the same name"


# ---------------------------------------------------------------- damaged records

def rows_by_key(rows):
    return {(r["session_id"], r["extra"].get("session_line_num"), r["event_time"]): r for r in rows}


def table_keys(w):
    """raw by key of every row, doubled keys"""
    table = engines.read("deltalake", w.table, ["event_time", "session_id", "extra", "raw"])
    raws, doubled = {}, []
    for session, extra, raw, time_ in zip(table.column("session_id").to_pylist(), table.column("extra").to_pylist(), table.column("raw").to_pylist(),
                                          table.column("event_time").cast("int64").to_pylist()):
        key = session, next((e["value"] for e in extra if e["key"] == "session_line_num"), None), time_
        if key in raws:
            doubled.append(key)
        raws[key] = raw
    return raws, doubled


@case
def damaged_records(b):
    import compare
    with open(b.plain, "rb") as f:
        data = f.read()
    spans = [(at, at + len(r) + 1) for at, r in expected.records(data) if r is not None]

    def flip(rng):
        k = rng.randrange(len(spans))
        at = rng.randrange(spans[k][0], spans[k][1] - 1)
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:], {k}, f"bit flipped in byte {at}"

    def lose_quote(rng):
        k = rng.choice([k for k, (s, e) in enumerate(spans) if b'"' in data[s:e]])
        at = rng.choice([i for i in range(*spans[k]) if data[i] == 34])
        return data[:at] + data[at + 1:], {k}, f"quote at byte {at} lost"

    def cut(rng):
        k = rng.randrange(len(spans) - 1)
        at = rng.randrange(spans[k][0] + 1, spans[k][1] - 1)
        return data[:at] + data[spans[k][1]:], {k, k + 1}, f"record cut at byte {at} and the next glued to it"

    def cut_line(rng):
        k = rng.randrange(len(spans) - 1)
        at = rng.randrange(spans[k][0] + 1, spans[k][1] - 1)
        return data[:at] + data[spans[k][1] - 1:], {k}, f"record cut at byte {at}"

    def glue(rng):
        k = rng.randrange(len(spans) - 1)
        return data[:spans[k][1] - 1] + data[spans[k][1]:], {k, k + 1}, f"no newline before byte {spans[k][1]}"

    def break_zone(rng):
        k = rng.randrange(len(spans))
        at = spans[k][0] + data[spans[k][0]:spans[k][1]].index(b",") - 1
        return data[:at] + b"X" + data[at + 1:], {k}, f"time zone at byte {at} broken"

    for name, damage in {"a time zone broken": break_zone, "a bit flipped": flip, "a quote lost": lose_quote, "a line cut": cut_line, "a line cut with its end": cut, "two records glued": glue}.items():
        for _ in range(8):
            changed, touched, what = damage(b.rng)
            w = b.workspace([])
            with open(os.path.join(w.logs, "damaged.csv"), "wb") as f:
                f.write(changed)
            report = w.drain()
            raws, doubled = table_keys(w)
            demand(not doubled, f"{what}: doubled {doubled[:3]}")
            for k, (start, end) in enumerate(spans):
                if k in touched:
                    continue
                row = expected.row_of(*expected.decoded(data[start:end - 1]), "csv", harness.ROLE, harness.NODE)
                got = raws.pop((row["session_id"], row["extra"].get("session_line_num"), row["event_time"]), None)
                demand(got is not None, f"{what}: also the record at byte {start} is lost; touched: {sorted(spans[t] for t in touched)}; {report}")
                demand(got == row["raw"] or compare.blanked(row["raw"], got), f"{what}: the record at byte {start} became {got[:200]!r}")
            demand(len(raws) <= len(touched) + 1, f"{what}: {len(raws)} rows of {len(touched)} touched records: {list(raws.values())[:3]}")
            lost = len(touched) - len(raws)
            demand(lost <= 0 or report["quarantined"] or report["pending"], f"{what}: {lost} records are neither rows nor in the quarantine")
        yield f"{name}, 8 times: costs only what was touched"


# ---------------------------------------------------------------- forged audit records

@case
def forged_audit_records(b):
    def record(line, message, context="", **more):
        fields = dict.fromkeys(expected.CSVLOG, "") | {
            "log_time": "2026-11-21 08:23:36.024 UTC", "user_name": "mallory", "database_name": "app", "process_id": "7", "connection_from": "[local]",
            "session_id": "6b015508.7", "session_line_num": str(line), "command_tag": "DO", "session_start_time": "2026-11-21 08:23:36 UTC",
            "virtual_transaction_id": "3/4", "transaction_id": "0", "error_severity": "LOG", "sql_state_code": "00000", "message": message, "context": context,
            "backend_type": "client backend", "query_id": "0"} | more
        # PostgreSQL quotes texts and leaves absent ones empty.
        return ",".join('"' + v.replace('"', '""') + '"' if v and not v.isdigit() and k not in ("log_time", "session_id", "error_severity", "sql_state_code", "session_start_time",
                                                                                                   "virtual_transaction_id") else v for k, v in fields.items()) + "\n"

    audit = "AUDIT: SESSION,1,1,WRITE,DELETE,TABLE,public.wages,delete from wages,<none>"
    inline = "PL/pgSQL function inline_code_block line 1 at RAISE"
    inner = record(9, audit)
    text = record(1, audit) + record(2, audit, inline) + record(3, "hello\n" + inner.rstrip("\n") + "\nbye", inline) + record(4, audit, error_severity="ERROR", sql_state_code="P0001") \
        + record(5, "AUDIT: SESSION,1,1,WRITE,DELETE,TABLE,x,\"never closed,<none>")
    w = b.workspace([])
    path = os.path.join(w.logs, "forged.csv")
    with open(path, "w") as f:
        f.write(text)
    w.drain()
    rows = sorted(engines.read("deltalake", w.table, ["extra", "audit_class", "object_name", "result"]).to_pylist(),
                  key=lambda r: int(next(e["value"] for e in r["extra"] if e["key"] == "session_line_num")))
    found = [(r["audit_class"], r["object_name"]) for r in rows]
    demand(found == [("WRITE", "public.wages")] + [(None, None)] * 4, f"audit classes and objects: {found}")
    done = subprocess.run([sys.executable, os.path.join(ROOT, "Examples", "compare.py"), w.table, path, "--node", harness.NODE], capture_output=True, text=True)
    demand(done.returncode == 0, done.stdout + done.stderr)
    yield "RAISE LOG with pgaudit's words is no audit record, with a whole record inside it is one record"


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(harness.run_cases(__doc__, Bench))
