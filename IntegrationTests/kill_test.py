#!/usr/bin/env python3
"""kill_test.py [--kills 40] [--seed N] [--binary PATH] [--logs FILE...] [--s3]

Kills auditlake with SIGKILL at instants that are spread over all phases of a batch, starts it again, and at the end holds the table record by
record against an independent reading of the logs: every record is there, once, with equal raw.

Three lakes: one record a batch (some 1,000 batches: checkpoints, and merging of files), a few records a batch from files that grow and rotate
between kills, and everything in a few huge batches. A kill waits for the n-th byte of a chosen phase and then up to a few milliseconds more; of
four kills, three keep the process from leaving the phase meanwhile. It counts for the phase that the process had begun last, and only when
the process died by it; one that came too late is tried again. The seed fixes every choice, but where a kill falls is up to the machine too.
After each kill the plans, receipts, transactions and live files are looked over; when a lake is drained, a further run must find nothing.

With --s3 the lakes lie in a bucket of moto, the logs are short, and files are not merged.

Exit status 1 on any deviation, or when a phase got no kill.
"""
import os, random, sys, time, warnings
import harness, s3_lake
from harness import PHASES, Failure, Feeder, Killer, Workspace

FILES = "logs/*.csv*"
SHORT = 150                                                            # records in a bucket: a checkpoint comes at 100
MERGE_AT = 900                                                         # the first checkpoint with more than 850 live files


def one_record_a_batch(killer, folder, kills):
    w = killer.workspace(Workspace, folder, FILES, batch_bytes="1B")
    Feeder(killer.a.logs, w.logs, killer.rng).feed_all()
    for_merging = 0 if killer.a.s3 else min(3, kills // 6)
    most = SHORT - 30 if killer.a.s3 else MERGE_AT - 150
    while kills > for_merging and len(w.numbers("receipts")) < most:
        phase = killer.target(PHASES)
        kills -= killer.kill(w, phase, killer.rng.randint(1, 1 if phase == b"k" else 30), killer.delay())
    for n in range(for_merging):
        left = max(0, MERGE_AT - 1 - len(w.numbers("receipts")))
        if killer.kill(w, b"k", 1, killer.delay(0.3), batches=left):
            killer.merging += 1
    return w


def growing_files(killer, folder, kills):
    w = killer.workspace(Workspace, folder, FILES, batch_bytes=f"{killer.rng.randint(600, 8000)}B")
    feeder = Feeder(killer.a.logs, w.logs, killer.rng)
    while kills and feeder.left:
        for _ in range(killer.rng.randint(1, 3)):
            feeder.feed(40_000)
        phase = killer.target([p for p in PHASES if p != b"k"])
        kills -= killer.kill(w, phase, killer.rng.randint(1, 6), killer.delay())
    feeder.feed_all()
    return w


def huge_batches(killer, folder, kills):
    w = killer.workspace(Workspace, folder, FILES, batch_bytes="1GB")
    feeder = Feeder(killer.a.logs, w.logs, killer.rng)
    while kills and feeder.left:
        feeder.feed(300_000)
        for _ in range(min(kills, killer.rng.randint(1, 3))):
            phase = killer.target([p for p in PHASES if p != b"k"])
            if not killer.kill(w, phase, 1, killer.delay(0.02 if phase in (b"r", b"d") else 0.005)):
                break
            kills -= 1
    feeder.feed_all()
    return w


def settle(w, logs, name):
    """drains a lake, looks that a further run finds nothing, and reckons"""
    w.drain()
    again = w.drain()
    problems = harness.reckon(w, logs)
    if again["batches"] or again["rows"]:
        problems.append(f"a further run found {again['batches']} batches with {again['rows']} rows")
    files = len(harness.Log(w.table).adds)
    print(f"{name}: {len(w.numbers('receipts'))} batches, {files} live files, " + ("every record once" if not problems else f"{len(problems)} problems"))
    for p in problems:
        print(f"  {p}")
    return not problems


def main():
    p = harness.arguments(__doc__)
    p.add_argument("--kills", type=int, default=40)
    s3_lake.add_option(p)
    a = p.parse_args()
    folder = harness.prepare(a)
    if a.s3:
        a.logs = [shortened(a.logs[0], folder)]
    print(f"seed {a.seed}")
    with s3_lake.chosen(a, folder) as located:
        return test(a, folder, Killer(a, random.Random(a.seed), located=located))


def shortened(path, folder):
    """a log with the first records of another one"""
    with open(path, "rb") as f:
        data = f.read()
    borders = [offset for offset, record in harness.expected.records(data) if record is not None]
    short = os.path.join(folder, os.path.basename(path))
    with open(short, "wb") as f:
        f.write(data[:borders[min(SHORT, len(borders) - 1)]])
    return short


def test(a, folder, killer):
    started, good, number = time.monotonic(), True, 0
    rounds = [(one_record_a_batch, 0.5), (growing_files, 0.3), (huge_batches, 0.2)]
    try:
        while killer.total < a.kills or not all(killer.counts[p] for p in PHASES) and number < 30:
            body, share = rounds[number % 3]
            number += 1
            kills = max(1, min(round(share * a.kills), a.kills - killer.total))
            place = os.path.join(folder, str(number))
            os.mkdir(place)
            w = body(killer, place, kills)
            good &= settle(w, a.logs, f"lake {number}, {body.__name__.replace('_', ' ')}")
    except Failure as e:
        print(f"FAILED: {e}")
        good = False
    print(f"{killer.total} kills: " + ", ".join(f"{name} {killer.counts[p]}" for p, name in PHASES.items())
          + f"; while merging files {killer.merging}; {killer.late} came too late; {time.monotonic() - started:.0f} s")
    for p, name in PHASES.items():
        if not killer.counts[p]:
            print(f"FAILED: no kill fell into phase {name}")
            good = False
    return harness.conclude(a, folder, not good)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
