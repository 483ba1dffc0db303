#!/usr/bin/env python3
"""two_processes.py [--rounds 4] [--seed N] [--binary PATH] [--logs FILE...]

Two, then three auditlake processes on one shard at once. All of a round are held at their first phase and let go together; then each is stopped
at a random phase by a kill, or runs to its end and is started again while there is more to read. Log files grow meanwhile. At the end the
table must hold every record once, as after one process. Losing a race is no error: no process may end otherwise than well or by our kill.

Exit status 1 on any deviation.
"""
import os, random, select, sys, time, warnings
from collections import Counter
import harness
from harness import Failure, Feeder, PATIENCE, Workspace

SHARE_KILLED = 0.5


class Crew:
    """processes on one lake, read in turns"""

    def __init__(self, workspace, size, rng, counts):
        self.workspace, self.size, self.rng, self.counts, self.runs = workspace, size, rng, counts, {}

    def start(self):
        run = self.workspace.start()
        run.steps = self.rng.randint(1, 150) if self.rng.random() < SHARE_KILLED else None
        self.runs[run.reader] = run
        self.counts["started"] += 1

    def line_up(self):
        """starts all; none goes on before each has begun: the pipe of a process that is not read holds it one phase later"""
        while len(self.runs) < self.size:
            self.start()
        waiting = set(self.runs)
        while waiting:
            ready, _, _ = select.select(list(waiting), [], [], PATIENCE)
            if not ready:
                raise Failure("a process did not begin")
            waiting -= set(ready)

    def step(self):
        """takes what phases there are; ends what is to be killed or has ended"""
        ready, _, _ = select.select(list(self.runs), [], [], PATIENCE)
        if not ready:
            raise Failure("all processes hang")
        for reader in ready:
            run = self.runs[reader]
            if not run.next():
                del self.runs[reader]
                self.end(run)
            elif run.steps is not None:
                run.steps -= 1
                if run.steps == 0:
                    del self.runs[reader]
                    if run.kill() is None:
                        self.check(run)
                    self.counts["killed"] += 1

    def end(self, run):
        run.process.wait()
        os.close(run.reader)
        self.check(run)
        self.counts["ended well"] += 1

    def check(self, run):
        if run.process.returncode != 0:
            raise Failure(f"a process ended with {run.process.returncode} and said: {run.words()}")


def together(a, place, rng, size, counts):
    """one lake drained by `size` processes that come and go"""
    w = Workspace(a.binary, place, "logs/*.csv*", batch_bytes=f"{rng.randint(300, 4000)}B")
    feeder, crew = Feeder(a.logs, w.logs, rng), Crew(w, size, rng, counts)
    while feeder.left:
        for _ in range(rng.randint(1, 6)):
            feeder.feed(60_000, rotate=not crew.runs)                  # a file may grow while it is read, a rename waits until nothing runs
        crew.line_up()
        while len(crew.runs) == size:
            crew.step()
        if rng.random() < 0.5:                                         # else the others go on beside those that are started next
            while crew.runs:
                crew.step()
    while crew.runs:
        crew.step()
    w.drain()
    return w, harness.reckon(w, a.logs)


def main():
    p = harness.arguments(__doc__)
    p.add_argument("--rounds", type=int, default=4, help="half of them with two processes, half with three (4)")
    a = p.parse_args()
    folder = harness.prepare(a)
    print(f"seed {a.seed}")
    rng, started, good = random.Random(a.seed), time.monotonic(), True
    for number in range(a.rounds):
        size, counts = 2 + number % 2, Counter()
        place = os.path.join(folder, str(number))
        os.mkdir(place)
        try:
            w, problems = together(a, place, rng, size, counts)
            line = f"{len(w.numbers('receipts'))} batches"
        except Failure as e:
            problems, line = [str(e)], "stopped"
        print(f"{size} processes at once: {line}; " + ", ".join(f"{n} {c}" for c, n in counts.items()) + "; " + ("every record once" if not problems else "FAILED"))
        for problem in problems:
            print(f"  {problem}")
        good &= not problems
    return harness.conclude(a, folder, not good, started)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
