"""What the tests of `run --follow` share: a site with one pipeline per log format, the process that follows, an exact reckoning at the end.

The writer leaves no line of a session out and ends every session, so a plan that says otherwise is wrong too.
The reckoning uses none of auditlake's code: the texts that the writer's journal says were written, each as often as written, are the column
`raw` of the table; and of a sample of rows every column is held against Examples/expected.py.
"""
import hashlib, json, os, random, signal, subprocess, sys, time
from collections import Counter
import harness
from harness import Failure, Workspace, environment
import engines, expected

STOPS_WITHIN = 30                                                      # seconds that SIGTERM may take
ARRIVES_WITHIN = 90                                                    # seconds until the last record has to be in the table


def clean_up_when_stopped():
    """SIGTERM unwinds like Ctrl-C, so that servers and readers are ended and folders removed"""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Stream(Workspace):
    """one pipeline of a site, as harness.standing looks it over"""

    def __init__(self, site, name, table):
        self.site, self.name, self.lake, self.pipeline, self.main_table = site, name, site.lake, name, table


class Site:
    """a folder with a configuration of pipelines and a lake; `pipelines` are name -> keys of the pipeline"""

    def __init__(self, binary, folder, pipelines, top=""):
        self.binary, self.folder, self.lake = os.path.abspath(binary), folder, os.path.join(folder, "lake")
        os.makedirs(folder, exist_ok=True)
        text = "lake: ./lake\n" + top + "pipelines:\n"
        for name, keys in pipelines.items():
            keys = {"kind": "postgres", "role": "primary", "node": name, "table": f"pg.{name}"} | keys
            text += f"  {name}:\n" + "".join(f"    {k}: {json.dumps(v)}\n" for k, v in keys.items())
        with open(os.path.join(folder, "auditlake.yaml"), "w") as f:
            f.write(text)
        self.streams = {name: Stream(self, name, keys.get("table", f"pg.{name}")) for name, keys in pipelines.items()}

    def command(self, *arguments, check=True, timeout=600):
        done = subprocess.run([self.binary, *arguments], cwd=self.folder, capture_output=True, text=True, errors="replace", env=environment(), timeout=timeout)
        if check and done.returncode != 0:
            raise Failure(f"auditlake {' '.join(arguments)[:100]} ended with {done.returncode} and said: {done.stderr.strip()[-2000:]}")
        return done

    def query(self, sql):
        return json.loads(self.command("query", sql, "--format", "json").stdout or "[]")

    def once(self):
        """drains; the reports of the pipelines"""
        return [json.loads(line) for line in self.command("run", "--once", "--format", "json").stdout.splitlines() if line.startswith("{")]


class Follower:
    """`auditlake run --follow`, started again and again; what it says is kept in one file"""

    def __init__(self, site, *arguments):
        self.site, self.arguments, self.process, self.starts = site, arguments, None, 0
        self.path = os.path.join(site.folder, "follow.log")

    def start(self):
        self.said = open(self.path, "ab")
        self.process = subprocess.Popen([self.site.binary, "run", "--follow", *self.arguments], cwd=self.site.folder, stdin=subprocess.DEVNULL, stdout=self.said,
                                        stderr=self.said, env=environment())
        self.starts, self.since = self.starts + 1, time.monotonic()

    def check(self):
        """it runs until it is stopped"""
        if self.process.poll() is not None:
            raise Failure(f"run --follow ended by itself with {self.process.returncode} and said: {self.words()}")

    def kill(self):
        self.check()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.said.close()

    def stop(self, with_signal=signal.SIGTERM):
        """ends it as a user does; CPU seconds and peak memory in bytes of this process"""
        self.check()
        self.process.send_signal(with_signal)
        end = time.monotonic() + STOPS_WITHIN
        while time.monotonic() < end:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.01)
        else:
            raise Failure(f"run --follow does not end within {STOPS_WITHIN} s of {signal.Signals(with_signal).name}")
        self.said.close()
        is_young = time.monotonic() - self.since < 5                       # it may not have come to catch signals yet
        if self.process.returncode != 0 and not (is_young and self.process.returncode == -with_signal):
            raise Failure(f"run --follow ended with {self.process.returncode} after {signal.Signals(with_signal).name} and said: {self.words()}")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024

    def words(self, most=1500):
        with open(self.path, errors="replace") as f:
            return f.read()[-most:].strip()

    def memory(self):
        """bytes of resident memory"""
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu(self):
        """seconds of CPU so far"""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


# ---------------------------------------------------------------- the reckoning

def text_of(record):
    """a record's bytes as the table holds them"""
    return expected.decoded(record)[0]


def digest(text):
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def table_texts(stream):
    """column `raw`, data file by data file"""
    import pyarrow.parquet as pq
    log = harness.Log(stream.table)
    for problem in harness.live_files(log):
        raise Failure(problem)
    for path in log.adds:
        for batch in pq.ParquetFile(log.file(path)).iter_batches(columns=["raw"]):
            yield from batch.column(0).cast("string").to_pylist()


def reckon(stream, form, journal, constant=None, sample=5000, seed=0, show=3):
    """the table against the journal's records: (records, list of problems); `constant` is a text that may be there once or several times"""
    import compare, argparse
    problems = harness.standing(stream)
    if stream.numbers("plans") != stream.numbers("receipts"):
        problems.append(f"{len(stream.numbers('plans'))} plans, {len(stream.numbers('receipts'))} receipts")
    if not os.path.isdir(stream.table):
        return 0, [*problems, f"{stream.table} is not there"]

    # Every record once: by its text, which no other record has.
    wanted, chosen, records, rng = Counter(), {}, 0, random.Random(seed)
    for record in journal:
        records += 1
        text = text_of(record)
        wanted[digest(text)] += 1
        if rng.random() < 0.02 or len(chosen) < sample // 4:
            chosen[text] = record
    seen = Counter(digest(text) for text in table_texts(stream))
    if constant is not None and not seen.pop(digest(constant), 0):
        problems.append("the record that begins every file is not in the table")
    for what, difference in ("missing", wanted - seen), ("too often, or nobody wrote them", seen - wanted):
        if difference:
            texts = map(text_of, stream.site.writer.journal(form)) if what == "missing" else table_texts(stream)
            examples = [t for t in texts if digest(t) in difference][:show]
            problems.append(f"{sum(difference.values())} records {what}: " + " | ".join(e[:220] for e in examples))

    # Every column of a sample.
    texts = list(chosen)
    rng.shuffle(texts)
    texts = set(texts[:sample])
    settings, differences = argparse.Namespace(redact=False, max_record_bytes=1 << 20), Counter()
    for got in compare.table_rows("deltalake", stream.table):
        if got["raw"] in texts:
            want = expected.row_of(*expected.decoded(chosen[got["raw"]]), form, "primary", stream.name)
            for field, w, g in compare.row_differences(want, got, settings):
                differences[field] += 1
                if differences[field] <= show:
                    problems.append(f"{field}: expected {w!r:.200}, got {g!r:.200}")
    for n in stream.numbers("plans"):
        for broken in stream.read("plans", n).get("expectations") or []:
            if broken["failed"]:
                problems.append(f"batch {n} says that {broken['failed']} of {broken['checked']} broke {broken['name']}, and none did: {broken['samples'][:show]}")
    held = engines.read("deltalake", stream.quarantine, ["source", "reason", "raw"]).to_pylist() if os.path.isdir(os.path.join(stream.quarantine, "_delta_log")) else []
    if held:
        problems.append(f"{len(held)} rows in quarantine: " + str([{k: str(v)[:150] for k, v in r.items()} for r in held[:show]]))
    return records, problems
