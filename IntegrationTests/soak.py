#!/usr/bin/env python3
"""soak.py [--minutes 30] [--rate 1000] [--kills-every 60] [--seed N] [--formats csv,json] [--binary PATH]

`auditlake run --follow` for a long time, under every kind of rotation (logwriter.py) and with kills. Once a second its memory and descriptors are taken,
from 10 s after each start on. Whether they stay flat is seen in the thirds that are printed: of the whole run, and of the longest life of one process,
for which the second half of the time goes without a kill. At the end everything must be exact, as in rotation_test.py. Exit status 1 when
it is not, or when the last third's median of memory is above the first third's by more than --growth (64 MB), or descriptors by more than 20.
"""
import os, random, signal, sys, time, warnings
from statistics import median
import follow, harness, rotation_test
from follow import Follower
from harness import Failure
from logwriter import SCHEMES, Writer

SETTLED = 10                                                           # seconds after a start from which samples count


def thirds(samples):
    n = len(samples) // 3
    return [samples[:n], samples[n:2 * n], samples[2 * n:]] if n else []


def show(name, samples):
    """prints the thirds; (growth of memory in bytes, of descriptors)"""
    parts = thirds(samples)
    if not parts:
        print(f"{name}: only {len(samples)} samples")
        return 0, 0
    memory, descriptors = [[median(s[k] for s in part) for part in parts] for k in (1, 2)]
    print(f"{name}: memory by thirds " + ", ".join(f"{m / 1e6:.0f}" for m in memory) + f" MB (most {max(s[1] for s in samples) / 1e6:.0f}); descriptors "
          + ", ".join(f"{d:.0f}" for d in descriptors) + f" (most {max(s[2] for s in samples)}); {len(samples)} samples", flush=True)
    return memory[2] - memory[0], descriptors[2] - descriptors[0]


def main():
    p = harness.arguments(__doc__, logs=False)
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--rate", type=int, default=1000, help="records a second and format (1000)")
    p.add_argument("--kills-every", type=float, default=60, help="seconds between kills, about (60)")
    p.add_argument("--formats", default="csv,json")
    p.add_argument("--growth", type=float, default=64, help="MB that memory may grow by (64)")
    a = p.parse_args()
    a.formats, a.work = a.formats.split(","), a.work or os.environ.get("TMPDIR") or "/tmp"
    folder = harness.prepare(a)
    follow.clean_up_when_stopped()
    print(f"seed {a.seed}", flush=True)
    rng, seconds, problems, samples, ends = random.Random(a.seed), a.minutes * 60, [], [], []
    site, logs = rotation_test.site_for(a, folder, a.formats, SCHEMES, rng)
    tables = {form: site.streams[f"node_{form}"].table for form in a.formats}
    with Follower(site) as follower, Writer(logs, a.seed, a.rate, a.formats, SCHEMES, tables, period=(1, 8)) as writer:
        site.writer = writer
        try:
            follower.start()
            begun = life = time.monotonic()
            kill_at, said_at, cpu = begun + rng.uniform(0.3, 1.7) * a.kills_every, begun + 60, 0.0
            while (now := time.monotonic()) < begun + seconds:
                writer.check()
                follower.check()
                if now > kill_at and now < begun + seconds / 2:
                    cpu += follower.cpu()
                    if rng.random() < 0.75:
                        follower.kill()
                    else:
                        follower.stop(signal.SIGTERM)
                    ends.append(now - begun)
                    if writer.reader_is_stopped():
                        time.sleep(rng.uniform(0, 1))
                    follower.start()
                    life, kill_at = time.monotonic(), time.monotonic() + rng.uniform(0.3, 1.7) * a.kills_every
                elif now > life + SETTLED:
                    samples.append((now - begun, follower.memory(), follower.descriptors(), life))
                if now > said_at:
                    print(f"{(now - begun) / 60:.0f} min: {len(ends)} ends, memory {follower.memory() / 1e6:.0f} MB, {follower.descriptors()} descriptors", flush=True)
                    said_at = now + 60 * max(1, a.minutes // 10)
                time.sleep(max(0, 1 - (time.monotonic() - now)))
            cpu += follower.cpu()
            result = writer.stop()
            rotation_test.drain(site, follower, a.formats, result)
            problems = rotation_test.settle(site, writer, a.formats, SCHEMES, result, a.seed)
            print(f"{result['records']} records in each of {', '.join(a.formats)}, {len(ends)} ends of the reader; rotations: "
                  + "; ".join(f"{form}: " + ", ".join(f"{w} {n}" for w, n in sorted(c.items())) for form, c in result["counts"].items()))
            print(f"auditlake: {100 * cpu / seconds:.1f} % of one core; " + ", ".join(f"{n} {len(s.numbers('receipts'))} batches" for n, s in site.streams.items()))
        except Failure as e:
            problems.append(str(e))
    show("the whole run", samples)
    memory, descriptors = show("the last life", [s for s in samples if s[3] == samples[-1][3]]) if samples else (0, 0)
    if memory > a.growth * 1e6 or descriptors > 20:
        problems.append(f"memory grew by {memory / 1e6:.0f} MB and descriptors by {descriptors:.0f} in the last life")
    for problem in problems:
        print(f"  {problem}")
    return harness.conclude(a, folder, problems)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
