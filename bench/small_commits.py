"""What many small commits cost: a hundred runs of 1 MB, and one table of 10,000 commits.

usage: small_commits.py [--kind postgres|databricks] [--runs 100] [--commits 10000] [--binary PATH]

Prints CPU and wall seconds of the first and the last ten runs, and of the first and the last run in turn, thirty times each on the same
input; for the long table its live files, the wall seconds of an idle run (open, look at the source, exit) and of a run that appends 1 MB.
"""
import argparse
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PIPELINES = {
    "postgres": 'pg: {{kind: postgres, source: {{files: "*.csv"}}, role: primary, table: s.audit, batch_bytes: {batch}}}',
    "databricks": 'events: {{kind: databricks, source: {{objects: "*.json"}}, schema: s, batch_bytes: {batch}}}',
}
GENERATORS = {"postgres": ("gen_pgcsv.py", "csv"), "databricks": ("gen_databricks.py", "json")}
TABLES = {"postgres": "main.s.audit", "databricks": "main.s.silver"}


def generate(path, megabytes, chunk, kind="postgres"):
    """A disjoint slice of the generator's log."""
    subprocess.run(
        [sys.executable, HERE / GENERATORS[kind][0], "--mb", str(megabytes), "--chunk", str(chunk), "--out", path],
        check=True, stderr=subprocess.DEVNULL,
    )


def run(binary, folder, batch="1GB", kind="postgres"):
    """One process: what it reported, CPU and wall seconds."""
    (folder / "auditlake.yaml").write_text("lake: lake\npipelines:\n  " + PIPELINES[kind].format(batch=batch) + "\n")
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [binary, "run", "--once", "--format", "json"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), cpu, wall


def tables(binary, folder, kind="postgres"):
    """The table's row of `auditlake tables`."""
    done = subprocess.run(
        [binary, "tables", "--format", "json"], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    return next(row for row in json.loads(done.stdout) if row["table"] == TABLES[kind])


def hundred_runs(binary, folder, count, kind):
    figures = []
    for chunk in range(count):
        path = folder / f"{chunk:05}.{GENERATORS[kind][1]}"
        generate(path, 1, chunk, kind)
        if chunk == count - 1:
            first_and_last(binary, folder, path, count, kind)
        figures.append(run(binary, folder, kind=kind)[1:])
        # What was read may go, as after a rotation; delivered files stay.
        if kind == "postgres":
            path.unlink()
    first, last = figures[:10], figures[-10:]
    for name, part in (("first ten", first), ("last ten", last)):
        cpu, wall = [f[0] for f in part], [f[1] for f in part]
        print(f"{count} runs of 1 MB, {name}: CPU median {statistics.median(cpu):.3f} s, wall median {statistics.median(wall):.3f} s")
    print(tables(binary, folder, kind))


def first_and_last(binary, folder, path, count, kind):
    """One input as the first of a lake and as the last of this one, in turn: noise of the machine meets both."""
    lake, kept, fresh = folder / "lake", folder / "kept", folder / "fresh"
    fresh.mkdir()
    shutil.copy2(path, fresh)
    shutil.copytree(lake, kept, symlinks=True)
    figures = []
    for _ in range(30):
        first, last = run(binary, fresh, kind=kind), run(binary, folder, kind=kind)
        if first[0]["rows"] != last[0]["rows"]:
            raise SystemExit(f"the first run took {first[0]['rows']} rows, the last {last[0]['rows']}")
        figures.append((first[1], last[1]))
        shutil.rmtree(fresh / "lake")
        shutil.rmtree(lake)
        shutil.copytree(kept, lake, symlinks=True)
    firsts, lasts = zip(*figures)
    print(f"in turn, CPU median: run 1 {statistics.median(firsts):.3f} s, run {count} {statistics.median(lasts):.3f} s, "
          f"ratio {statistics.median(last / first for first, last in figures):.2f}")
    shutil.rmtree(kept)
    shutil.rmtree(fresh)


def many_commits(binary, folder, count):
    generate(folder / "many.csv", count * 700 / 1e6, 0)
    report, cpu, wall = run(binary, folder, batch="560")
    print(f"{report['batches']} commits of about one record: {wall:.1f} s, CPU {cpu:.1f} s")
    print(tables(binary, folder))
    idle = [run(binary, folder)[2] for _ in range(20)]
    print(f"idle run (open and exit): wall median {statistics.median(idle) * 1e3:.1f} ms, worst {max(idle) * 1e3:.1f} ms")
    generate(folder / "more.csv", 1, 99)
    report, cpu, wall = run(binary, folder)
    print(f"then 1 MB: {report['rows']} rows, CPU {cpu:.3f} s, wall {wall:.3f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=PIPELINES, default="postgres")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--commits", type=int, default=10_000)
    parser.add_argument("--binary", default=HERE.parent / ".build/release/auditlake", type=pathlib.Path)
    options = parser.parse_args()
    binary = options.binary.resolve()
    jobs = [lambda folder: hundred_runs(binary, folder, options.runs, options.kind)]
    if options.kind == "postgres" and options.commits:
        jobs.append(lambda folder: many_commits(binary, folder, options.commits))
    for job in jobs:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="commits-"))
        try:
            job(folder)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
