#!/usr/bin/env python3
"""live_latency.py [--rate 2000] [--seconds 60] [--format csv] [--commit-every 1s] [--assert-p99 SECONDS] [--binary PATH]

How long a record takes to become a readable row while `auditlake run --follow` reads a log that rotates every 5 s.

A writer process (IntegrationTests/logwriter.py: pgaudit records of 250 to 600 bytes, some of several lines) notes for every record when the
write() that completed it returned. A row counts as readable from when the version of the Delta log that holds it can be opened: the log
folder is looked at every 2 ms, and what the version brought is read afterwards. Both clocks are CLOCK_MONOTONIC.

Printed are latency at the 50th, 95th and 99th percentile and the longest, auditlake's CPU time as a share of one core over the whole run, its memory
and descriptors, and how many records a second it went on with. There is no verdict on time without --assert-p99; a lost record is a failure always.
"""
import os, sys, time, warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "IntegrationTests"))
import harness
from follow import Follower, Site, clean_up_when_stopped
from harness import Failure
from logwriter import OBJECT, Arrivals, Writer


class Watch(Arrivals):
    """when each version became visible; its data files are opened later"""

    def __init__(self, table):
        super().__init__(table)
        self.seen, self.at = [], 0

    def look(self):
        while os.path.exists(os.path.join(self.folder, f"{self.at:020}.json")):
            self.seen.append(time.monotonic_ns())
            self.at += 1

    def arrived(self):
        """number -> nanoseconds"""
        import pyarrow.compute as pc, pyarrow.parquet as pq
        found = {}
        for version, paths in self.versions():
            for path in paths:
                column = pc.cast(pq.ParquetFile(path).read(columns=["object_name"]).column(0), "string")
                column = pc.filter(column, pc.fill_null(pc.starts_with(column, OBJECT), False))
                for number in pc.cast(pc.utf8_slice_codeunits(column, len(OBJECT)), "int64").to_pylist():
                    found.setdefault(number, self.seen[version])
        return found


def main():
    p = harness.arguments(__doc__, logs=False)
    p.add_argument("--rate", type=int, default=2000, help="records a second (2000)")
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--format", default="csv", choices=("csv", "json"))
    p.add_argument("--commit-every", default="1s")
    p.add_argument("--assert-p99", type=float, metavar="SECONDS", help="exit status 1 when the 99th percentile is above")
    a = p.parse_args()
    a.work = a.work or os.environ.get("TMPDIR") or "/tmp"              # a real disk: every commit is synced
    folder, failed = harness.prepare(a), False
    clean_up_when_stopped()
    logs = os.path.join(folder, "logs")
    site = Site(a.binary, folder, {"node": {"source": {"files": [os.path.join(logs, a.format, f"*.{a.format}")]}, "commit_every": a.commit_every}})
    watch, memory, descriptors = Watch(site.streams["node"].table), [], []
    try:
        with Follower(site) as follower, Writer(logs, a.seed, a.rate, (a.format,), ("names",), {}, period=(5, 5)) as writer:
            follower.start()
            end, sample, begun = time.monotonic() + a.seconds, 0, time.monotonic()
            while time.monotonic() < end:
                watch.look()
                if time.monotonic() > sample:
                    follower.check()
                    writer.check()
                    memory.append(follower.memory())
                    descriptors.append(follower.descriptors())
                    sample = time.monotonic() + 1
                time.sleep(0.002)
            busy, cpu = time.monotonic() - begun, follower.cpu()
            writer.ask_to_stop()
            end = time.monotonic() + 10
            while time.monotonic() < end:
                watch.look()
                time.sleep(0.002)
            writer.receive(harness.PATIENCE)
            result = writer.result
            follower.stop()
        import numpy
        written = numpy.load(os.path.join(logs, "written.npy"))
        arrived = watch.arrived()
        if missing := [int(n) for n in written[:, 0] if int(n) not in arrived]:
            raise Failure(f"{len(missing)} of {len(written)} records are not in the table: {missing[:5]} …")
        latency = numpy.array([(arrived[int(n)] - t) / 1e9 for n, t in written])
        size = sum(os.path.getsize(os.path.join(logs, a.format, n)) for n in os.listdir(os.path.join(logs, a.format))) / result["records"]
        p50, p95, p99 = numpy.percentile(latency, (50, 95, 99))
        print(f"{result['records']} records of {size:.0f} bytes in {result['seconds']:.0f} s ({result['records'] / result['seconds']:.0f}/s), {watch.at - 1} commits, {a.format}log, commit_every {a.commit_every}")
        print(f"latency: p50 {p50:.3f} s, p95 {p95:.3f} s, p99 {p99:.3f} s, longest {latency.max():.3f} s")
        print(f"auditlake: {100 * cpu / busy:.1f} % of one core, memory {memory[-1] / 1e6:.0f} MB at the end, {max(memory) / 1e6:.0f} MB at most, {min(descriptors)} to {max(descriptors)} descriptors; "
              f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        if a.assert_p99 is not None and p99 > a.assert_p99:
            print(f"FAILED: p99 is above {a.assert_p99} s")
            failed = True
    except Failure as e:
        print(f"FAILED: {e}")
        failed = True
    return harness.conclude(a, folder, failed)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
