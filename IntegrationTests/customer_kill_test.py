#!/usr/bin/env python3
"""customer_kill_test.py [--kills 40] [--seed N] [--binary PATH] [--s3]

Kills auditlake with SIGKILL at instants that are spread over all phases of a batch of customers' CSV files, starts it again, and at the end holds the table and the
quarantine against an independent reading of the files: each row once, with equal columns; rows that files have in common once, equal rows of one file as often as
it has them.

Three lakes: one small file a batch, each of which repeats rows of those before it; files that grow, come again under other names and with other columns, between and
during the runs; a few huge batches. With --s3 they lie in a bucket of moto. Exit status 1 on any deviation, or when a phase got no kill.
"""
import os, random, sys, time, warnings
import customer_csv_test as files, customer_lake, harness, s3_lake
from customer_lake import CustomerLake
from harness import PHASES, Failure, Killer

CHECKPOINT_AT = 100                                                    # the commits of a table until its first checkpoint


class Deliveries:
    """puts files that overlap, grow and come again"""

    def __init__(self, lake, rng, count):
        self.lake, self.rng, self.files = lake, rng, []
        self.rows = list(files.events(count, rng))
        self.rows += rng.sample(self.rows, count // 20)                # real events that are equal
        self.at = 0

    @property
    def left(self):
        return len(self.rows) - self.at

    def deliver(self, most, back=20):
        """a file of new rows behind some that were delivered, or one that is there, with more rows"""
        end = min(len(self.rows), self.at + self.rng.randint(1, most))
        if self.files and self.rng.random() < 0.4:
            file = self.rng.choice(self.files)
        else:
            names = files.NAMES[:]
            if self.rng.random() < 0.4:
                self.rng.shuffle(names)
            start = max(0, self.at - self.rng.randint(0, back))
            file = [f"{len(self.files)}.csv", names, start, files.text([], names)]
            self.files.append(file)
        name, names, start, data = file
        more = files.text(self.rows[start:end], names).split(b"\n", 1)[1]
        if self.rng.random() < 0.1:
            more += b"acme,ragged\n"
        file[2:] = end, data + more
        self.at = end
        self.lake.put(name, file[3])

    def deliver_all(self, most=1 << 30):
        while self.left:
            self.deliver(most)


# ---------------------------------------------------------------- the lakes

def one_file_a_batch(killer, folder, kills):
    w = killer.workspace(CustomerLake, folder, batch_bytes="1B")
    # What the columns are is known: nothing has to be looked at before it is read.
    w.put("first.csv", files.text(files.events(40, killer.rng, 5000), files.NAMES))
    w.drain()
    rows = list(files.events(CHECKPOINT_AT + 40, killer.rng))
    for n in range(len(rows)):
        w.put(f"{n}.csv", files.text(rows[max(0, n - killer.rng.randint(0, 2)):n + 1], files.NAMES))
    while kills and len(w.numbers("receipts")) < len(rows) - 5:
        # A run that is to die in the first checkpoint may go all the way there: it has to be the last.
        is_last = kills == 1 and not killer.counts[b"k"]
        phase = b"k" if is_last else killer.target(PHASES if len(w.numbers("receipts")) > CHECKPOINT_AT - 30 else [p for p in PHASES if p != b"k"])
        # A checkpoint is over soon.
        kills -= killer.kill(w, phase, *(1, 0) if phase == b"k" else (killer.rng.randint(1, 40), killer.delay()))
    return w


def growing_files(killer, folder, kills):
    w = killer.workspace(CustomerLake, folder, batch_bytes=f"{killer.rng.randint(2_000, 20_000)}B")
    deliveries = Deliveries(w, killer.rng, 3_000)
    while kills and deliveries.left:
        for _ in range(killer.rng.randint(1, 3)):
            if deliveries.left:
                deliveries.deliver(60)
        phase = killer.target([p for p in PHASES if p != b"k"])
        kills -= killer.kill(w, phase, killer.rng.randint(1, 6), killer.delay())
    deliveries.deliver_all(400)
    return w


def huge_batches(killer, folder, kills):
    w = killer.workspace(CustomerLake, folder)
    deliveries = Deliveries(w, killer.rng, 6_000)
    while kills and deliveries.left:
        deliveries.deliver(400, back=200)
        for _ in range(min(kills, killer.rng.randint(1, 3))):
            phase = killer.target([p for p in PHASES if p != b"k"])
            if not killer.kill(w, phase, 1, killer.delay(0.02 if phase in (b"r", b"d") else 0.005)):
                break
            kills -= 1
    deliveries.deliver_all(1_000)
    return w


def settle(w, name):
    """drains a lake, looks that a further run finds nothing, and reckons"""
    w.drain()
    again = w.drain()
    problems, table = customer_lake.reckon(w)
    if again["batches"] or again["rows"]:
        problems.append(f"a further run found {again['batches']} batches with {again['rows']} rows")
    print(f"{name}: {len(w.numbers('receipts'))} batches, "
          + (f"{len(table.rows)} rows once, {table.duplicates} known rows left out, {len(table.quarantine)} in quarantine" if not problems else f"{len(problems)} problems"), flush=True)
    for p in problems[:40]:
        print(f"  {p[:500]}")
    return not problems


def main():
    p = harness.arguments(__doc__, logs=False)
    p.add_argument("--kills", type=int, default=40)
    s3_lake.add_option(p)
    a = p.parse_args()
    folder = harness.prepare(a)
    print(f"seed {a.seed}")
    with s3_lake.chosen(a, folder) as located:
        return test(a, folder, Killer(a, random.Random(a.seed), located=located))


def test(a, folder, killer):
    started, good, number = time.monotonic(), True, 0
    rounds = [(one_file_a_batch, 0.4), (growing_files, 0.4), (huge_batches, 0.2)]
    try:
        while killer.total < a.kills or not all(killer.counts[p] for p in PHASES) and number < 15:
            body, share = rounds[number % len(rounds)]
            number += 1
            kills = max(1, min(round(share * a.kills), a.kills - killer.total))
            w = body(killer, os.path.join(folder, str(number)), kills)
            good &= settle(w, f"lake {number}, {body.__name__.replace('_', ' ')}")
    except Failure as e:
        print(f"FAILED: {e}")
        good = False
    print(f"{killer.total} kills: " + ", ".join(f"{name} {killer.counts[p]}" for p, name in PHASES.items()) + f"; {killer.late} came too late; {time.monotonic() - started:.0f} s")
    for p, name in PHASES.items():
        if not killer.counts[p]:
            print(f"FAILED: no kill fell into phase {name}")
            good = False
    return harness.conclude(a, folder, not good)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
