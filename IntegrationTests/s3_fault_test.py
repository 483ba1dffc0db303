#!/usr/bin/env python3
"""s3_fault_test.py [--instants 40 | --all] [--seed N] [--binary PATH]

A small run of each pipeline with its lake in a bucket (and its source, where it may lie there), through a proxy that spoils one request: at each of some instants (or
at every request of the run), one of the faults of fault_proxy.py. A run that fails is started again without a fault. At the end every table is held against the
independent reading of the events or logs, each row once; plans and receipts are without gaps.

Faults are dealt out in turn, so that each comes about equally often. In some more runs every third request is spoilt. A run has to get over each without help. With --all the network also ends for good at
some instants, and the run with it.

Exit status 1 on any deviation, or when a fault never came about.
"""
import contextlib, os, random, sys, time, warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from queue import SimpleQueue
import databricks_lake, harness, s3_lake
from databricks_test import some
from fault_proxy import FAULTS, FaultProxy
from s3_service import Service

TIMEOUT = "2s"
STORAGE = {66, 73}                                                     # what a run may end with when the network has ended
DENSE, EVERY = ("failed after", "reset after", "torn", "cut head", "error"), 3  # faults that come at every third request of a run
AT_ONCE = 3                                                            # runs, each with a proxy of its own
PLACES = count(1)
RECORDS = 5                                                            # of a log


class Events:
    """Databricks events, in the bucket too"""

    name = "events"

    def lake(self, binary, folder, service, **store):
        w = s3_lake.delivered(service, **store)(binary, folder, batch_bytes="1kB")
        w.deliver("a.json", joined(some("jobs", 0, 1, 2) + some("clusters", 0)))
        w.deliver("b.json", joined(some("jobs", 3, more='"text"') + some("clusters", 1) + [b"{broken"]))
        w.deliver("c.json", joined(some("clusters", 2, 3, 4, 5, 6)))
        return w

    def problems(self, w):
        return databricks_lake.reckon(w)[0]


class Logs:
    """logs of PostgreSQL, on this machine"""

    name = "logs"

    def __init__(self, log, folder):
        with open(log, "rb") as f:
            data = f.read()
        borders = [offset for offset, record in harness.expected.records(data) if record is not None]
        self.path = os.path.join(folder, "log.csv")
        with open(self.path, "wb") as f:
            # Damage amid the records gives the quarantine a row.
            f.write(data[:borders[RECORDS]] + b"broken\n" + data[borders[RECORDS]:borders[2 * RECORDS]])

    def lake(self, binary, folder, service, **store):
        w = s3_lake.in_bucket(harness.Workspace, service, **store)(binary, folder, batch_bytes="1500B")
        os.symlink(self.path, os.path.join(w.logs, os.path.basename(self.path)))
        return w

    def problems(self, w):
        return harness.reckon(w, [self.path])


class Bench:
    """runs one after the other, through one proxy"""

    def __init__(self, a, folder, service, proxy, pipeline):
        self.a, self.folder, self.service, self.proxy, self.pipeline = a, folder, service, proxy, pipeline
        self.counts = Counter()

    def lake(self):
        """files for two batches, and no lake yet"""
        place = os.path.join(self.folder, str(next(PLACES)))
        return self.pipeline.lake(self.a.binary, place, self.service, endpoint=self.proxy.endpoint, timeout=TIMEOUT)

    def run(self, plan):
        """a run under a plan of faults: how many requests it made, how it ended, and what was wrong"""
        w = self.lake()
        self.proxy.spoil(plan)
        done = w.run()
        self.counts.update(fault for _, fault, _ in self.proxy.done)
        spoilt = "; ".join(f"{fault} at {n}: {line}" for n, fault, line in self.proxy.done) or "nothing"
        requests = self.proxy.spoil({})
        problems = [] if done.returncode in STORAGE | {0} else [f"exit status {done.returncode}"]
        try:
            if done.returncode:
                w.drain()
            again = w.drain()
            problems += [f"a further run found {again['batches']} batches"] if again["batches"] else []
            problems += self.pipeline.problems(w)
            problems += ["fewer than two batches"] if len(w.numbers("receipts")) < 2 else []
        except harness.Failure as e:
            problems.append(str(e))
        return requests, done, [f"{p[:500]} ({spoilt[:500]})" for p in problems]


def joined(lines):
    return b"".join(line + b"\n" for line in lines)


def plans(a, total):
    """which requests are spoilt how, in each run, and whether it may fail"""
    rng, faults = random.Random(a.seed), list(FAULTS)
    instants = range(1, total + 1) if a.all else sorted(rng.sample(range(1, total + 1), min(a.instants // 2, total)))
    first = rng.randrange(len(faults))
    for number, instant in enumerate(instants):
        yield {instant: faults[(first + number) % len(faults)]}, False
    for fault in DENSE:
        for start in range(1, EVERY + 1) if a.all else [rng.randint(1, EVERY)]:
            yield dict.fromkeys(range(start, 10 * total, EVERY), fault), False
    for instant in range(1, total, max(1, total // 12)) if a.all else ():
        yield dict.fromkeys(range(instant, instant + 100 * total), "reset before"), True


def test(a, folder, service, proxies, pipeline):
    """whether all runs of a pipeline came out well, and how often each fault came about"""
    started, benches = time.monotonic(), SimpleQueue()
    for proxy in proxies:
        benches.put(Bench(a, folder, service, proxy, pipeline))

    def run(plan, may_fail):
        bench = benches.get()
        try:
            total, done, wrong = bench.run(plan)
        finally:
            benches.put(bench)
        if (done.returncode != 0) != may_fail:
            wrong.append(f"{list(plan.items())[:1]}: the run ended with {done.returncode} and said: {done.stderr.strip()}")
        for line in wrong[:10]:
            print(f"FAILED: {line}", flush=True)
        return total, len(wrong)

    total, wrong = run({}, False)
    print(f"{pipeline.name}: a run of {total} requests", flush=True)
    found = list(plans(a, total))
    with ThreadPoolExecutor(len(proxies)) as pool:
        wrong += sum(n for _, n in pool.map(lambda item: run(*item), found))
    counts = sum((benches.get().counts for _ in proxies), Counter())
    print(f"{pipeline.name}: {len(found)} runs in {time.monotonic() - started:.0f} s: " + ", ".join(f"{fault} {n}" for fault, n in sorted(counts.items())) + "; "
          + ("every table exact" if not wrong else f"{wrong} problems"), flush=True)
    return not wrong, counts


def main():
    p = harness.arguments(__doc__)
    p.add_argument("--instants", type=int, default=40, help="requests to spoil, half of them in each pipeline (40)")
    p.add_argument("--all", action="store_true", help="every request, and a network that ends for good")
    a = p.parse_args()
    folder, started = harness.prepare(a), time.monotonic()
    print(f"seed {a.seed}")
    good, counts = True, Counter()
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(Service(folder))
        proxies = [stack.enter_context(FaultProxy(service.port)) for _ in range(AT_ONCE)]
        for pipeline in Events(), Logs(a.logs[0], folder):
            is_exact, came = test(a, folder, service, proxies, pipeline)
            good, counts = good and is_exact, counts + came
    missing = FAULTS.keys() - counts.keys() if a.all or a.instants >= 2 * len(FAULTS) else set()
    if missing:
        print(f"FAILED: never came about: {', '.join(sorted(missing))}")
    return harness.conclude(a, folder, not good or bool(missing), started)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
