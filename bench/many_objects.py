#!/usr/bin/env python3
"""many_objects.py [--objects 100000] [--polls 10] [--binary PATH]

What a source of many objects costs: seconds, CPU seconds of auditlake and requests of the first discovery, of a `run --once` that finds nothing and of an idle poll
of `run --follow`, the last two also with `window: 7d`. Source and lake lie in the stand-in of object_store.py, which answers at once: a real service adds its
latency to each request. Every object has to be read once: the rows are counted with delta-rs.
"""
import argparse, collections, json, os, pathlib, resource, shutil, subprocess, sys, tempfile, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parent

KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
PATIENCE = 600
WINDOW = "7d"


class Store:
    """the stand-in, in a process of its own"""

    def __init__(self, objects):
        self.process = subprocess.Popen([sys.executable, HERE / "object_store.py", "--objects", str(objects)], stdout=subprocess.PIPE, text=True)
        self.endpoint = f"http://localhost:{int(self.process.stdout.readline())}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def requests(self):
        """the requests since the last call: time, method, path, status"""
        with urllib.request.urlopen(self.endpoint + "/.requests") as answer:
            return json.load(answer)


def told(requests):
    """how many requests of each kind went to source and lake"""
    found = collections.Counter()
    for _, method, path, status in requests:
        of = "source" if path.startswith("/source") else "lake"
        found[f"{of} {'LIST' if 'list-type=2' in path else method}"] += 1
    return ", ".join(f"{kind} {n}" for kind, n in sorted(found.items())) or "none"


def configure(folder, store, window=None, poll_every="1s"):
    settings = {"endpoint": store.endpoint, "path_style": True}
    extra = f", window: {window}" if window else ""
    (folder / "auditlake.yaml").write_text(
        "lake: s3://lake/audit\npipelines:\n  databricks:\n    kind: databricks\n    schema: audit\n    poll_every: " + poll_every
        + '\n    source: {objects: "s3://source/audit/**/*.json*"' + extra + "}\n"
        + "object_stores: " + json.dumps({"lake": settings, "source": settings}) + "\n"
    )


def once(binary, folder, store):
    """a run to its end: its report, a line about it"""
    store.requests()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([binary, "run", "--once", "--format", "json"], cwd=folder, env={**os.environ, **KEYS}, stdout=subprocess.PIPE, text=True, check=True)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), f"{wall:.2f} s, CPU {cpu:.2f} s; {told(store.requests())}"


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_start(request):
    """whether a listing of the source begins"""
    return request[2].startswith("/source?") and "continuation-token" not in request[2] and "start-after" not in request[2]


def polls(binary, folder, store, count):
    """idle polls of a run that follows: a line about them"""
    store.requests()
    process = subprocess.Popen([binary, "run", "--follow", "--log-level", "error"], cwd=folder, env={**os.environ, **KEYS}, stdout=subprocess.DEVNULL)
    try:
        seen, marks, end = [], [], time.monotonic() + PATIENCE
        # The first poll looks at all days; the ones that are counted lie between the second's start and the last one's.
        while len(marks) < count + 2:
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"run --follow ended with {process.poll()} after {len(marks)} polls")
            time.sleep(0.05)
            for request in store.requests():
                if is_start(request):
                    marks.append((len(seen), cpu_seconds(process)))
                seen.append(request)
    finally:
        process.terminate()
        process.wait()
    first, last = marks[1], marks[-1]
    counted = seen[first[0]:last[0]]
    listed = [r for r in counted if "list-type=2" in r[2] and r[2].startswith("/source")]
    spans, start = [], None
    for request in listed:
        if is_start(request):
            start = request[0]
            spans.append(0.0)
        spans[-1] = request[0] - start
    mean = sum(spans) / len(spans)
    return f"{mean:.3f} s of listing, CPU {(last[1] - first[1]) / len(spans):.3f} s, {len(listed) / len(spans):.1f} LIST a poll; all requests of {len(spans)} polls: {told(counted)}"


def count_rows(store):
    from deltalake import DeltaTable
    table = DeltaTable("s3://lake/audit/main/audit/silver", storage_options={**KEYS, "AWS_ENDPOINT_URL": store.endpoint, "AWS_ALLOW_HTTP": "true"})
    return table.to_pyarrow_table(columns=["event_id"]).num_rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--objects", type=int, default=100_000)
    p.add_argument("--polls", type=int, default=10)
    p.add_argument("--binary", default=HERE.parent / ".build/release/auditlake", type=pathlib.Path)
    a = p.parse_args()
    a.binary = a.binary.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="objects-"))
    try:
        with Store(a.objects) as store:
            configure(folder, store)
            report, line = once(a.binary, folder, store)
            rows = count_rows(store)
            if rows != a.objects:
                sys.exit(f"{rows} events of {a.objects} objects")
            print(f"first discovery of {a.objects} objects: {report['batches']} batches, {line}", flush=True)
            for window in None, WINDOW:
                configure(folder, store, window)
                words = f", window: {window}" if window else ""
                print(f"run --once that finds nothing{words}: {once(a.binary, folder, store)[1]}", flush=True)
                print(f"an idle poll{words}: {polls(a.binary, folder, store, a.polls)}", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
