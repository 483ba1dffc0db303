#!/usr/bin/env python3
"""customer_year.py [--nights 365] [--customers 6] [--seed N] [--binary PATH]

A year of nightly runs: every customer's export is dropped each day and auditlake runs once a night. Exports overlap by some hours, as windows with padding do; some come
days late, some again, some are rewritten with records added or taken out; columns change their order, come and go; some nights no file comes, in some the process is killed.

The table must then have, of each event, as many rows as the file that has it most often: counted here from the files alone, in Python, without ids. So must what is in each
of the days. Exit status 1 on any deviation.
"""
import csv, io, os, random, sys, time, warnings
from collections import Counter
from datetime import datetime, timedelta, timezone
import customer_lake, engines, harness
from customer_lake import CustomerLake
from harness import PHASES, Failure, Killer

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
COLUMNS = ["event_time", "action", "actor", "details"]
LATER = ["region", "session", "reason"]                                # columns that files have from some day on


class Customer:
    """what one customer's system does in a year, and the files that are exported of it"""

    def __init__(self, name, rng):
        self.name, self.rng, self.events = name, rng, []
        self.from_day = {c: rng.randint(20, 300) for c in LATER}

    def live(self, day):
        """the events of a day; now and then two that are equal"""
        start = START + timedelta(days=day)
        for _ in range(self.rng.randint(0, 25)):
            when = start + timedelta(milliseconds=self.rng.randint(0, 86_399_999))
            event = {"event_time": when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z", "action": self.rng.choice(["view", "edit", "log in"]),
                     "actor": f"user{self.rng.randint(1, 9)}@{self.name}.example", "details": self.rng.choice(["", "a, b", 'said "no"', "two\nlines"])}
            event |= {c: self.rng.choice(["", "x", "y"]) for c, first in self.from_day.items() if day >= first}
            self.events += [event] * (2 if self.rng.random() < 0.02 else 1)
        self.events.sort(key=lambda e: e["event_time"])

    def export(self, first, last):
        """the events of some days, with the hours before them"""
        start = (START + timedelta(days=first) - timedelta(hours=self.rng.randint(0, 12))).strftime("%Y-%m-%dT%H:%M:%S")
        end = (START + timedelta(days=last + 1)).strftime("%Y-%m-%dT%H:%M:%S")
        return [e for e in self.events if start <= e["event_time"] < end]


def file_of(events, rng, day):
    """a CSV file; the order of its columns and its separator are its own"""
    names = sorted({n for e in events for n in e} | set(COLUMNS))
    rng.shuffle(names)
    separator = rng.choice(",,,;\t")
    out = io.StringIO()
    writer = csv.DictWriter(out, [*names, "export_id"], restval="", delimiter=separator, lineterminator=rng.choice(["\n", "\r\n"]))
    writer.writeheader()
    for event in events:
        writer.writerow(event | {"export_id": f"{rng.getrandbits(64):016x}"})
    return out.getvalue().encode()


def contents(event, customer):
    return customer, tuple(sorted((k, v) for k, v in event.items() if v))


class Year:
    """drops files, and keeps count of what must be in the table"""

    def __init__(self, lake, rng, customers):
        self.lake, self.rng = lake, rng
        self.customers = [Customer(f"cust{n}", rng) for n in range(customers)]
        self.late, self.dropped, self.wanted, self.files = [], [], Counter(), 0

    def drop(self, customer, name, events, day):
        self.lake.put(f"{customer.name}/{name}", file_of(events, self.rng, day))
        self.files += 1
        for content, n in Counter(contents(e, customer.name) for e in events).items():
            self.wanted[content] = max(self.wanted[content], n)

    def evening(self, day):
        for customer in self.customers:
            customer.live(day)
            chance = self.rng.random()
            if chance < 0.06:
                self.late.append((day + self.rng.randint(1, 9), customer, day))
            elif chance > 0.02:
                self.nightly(customer, day, day)
        for due in [l for l in self.late if l[0] <= day]:
            self.late.remove(due)
            self.nightly(due[1], due[2], day)

    def nightly(self, customer, day, today):
        name = f"{today:03}-{day:03}.csv"
        self.drop(customer, name, customer.export(day, day), today)
        self.dropped.append((customer, name, day, today))
        earlier = [d for d in self.dropped[-200:] if d[3] < today]       # one that is rewritten before a night nobody has ever seen
        if self.rng.random() < 0.05 and len(earlier) > 20:               # an old export comes again: rewritten, or under another name
            customer, name, day, _ = self.rng.choice(earlier)
            events = customer.export(day, day + self.rng.randint(0, 1))
            if self.rng.random() < 0.5 and events:
                events.pop(self.rng.randrange(len(events)))
            self.drop(customer, name if self.rng.random() < 0.6 else f"again-{today:03}-{name}", events, today)


def main():
    p = harness.arguments(__doc__, logs=False)
    p.add_argument("--nights", type=int, default=365)
    p.add_argument("--customers", type=int, default=6)
    a = p.parse_args()
    folder, started = harness.prepare(a), time.monotonic()
    print(f"seed {a.seed}")
    rng = random.Random(a.seed)
    killer = Killer(a, rng)
    lake = CustomerLake(a.binary, os.path.join(folder, "year"), customer='{path: "csv/{customer}/"}', identity="{exclude: [export_id]}")
    year, problems = Year(lake, rng, a.customers), []
    try:
        for day in range(a.nights):
            if rng.random() > 0.02:
                year.evening(day)
            if rng.random() < 0.05:
                killer.kill(lake, rng.choice([p for p in PHASES if p != b"k"]), 1, killer.delay())
            lake.drain()
        problems = reckon(lake, year)
    except Failure as e:
        problems = [str(e)]
    for problem in problems[:30]:
        print(f"  {problem[:400]}")
    print(f"{a.nights} nights, {year.files} files, {killer.total} kills: "
          + (f"{sum(year.wanted.values())} rows as counted" if not problems else f"{len(problems)} problems"))
    return harness.conclude(a, folder, bool(problems), started)


def reckon(lake, year):
    """the table against the count, and by day"""
    table = engines.read("deltalake", lake.table)
    columns = [c for c in table.column_names if c not in ("event_id", "_rescued", "source", "source_offset", "ingest_ts", "date", "customer", "export_id")]
    texts = {c: [None if v is None else v for v in (as_text(table.column(c)))] for c in columns}
    got, days = Counter(), Counter()
    customers, dates = table.column("customer").to_pylist(), table.column("date").to_pylist()
    for row in range(table.num_rows):
        pairs = tuple(sorted((c, texts[c][row]) for c in columns if texts[c][row]))
        got[customers[row], pairs] += 1
        days[customers[row], dates[row].isoformat()] += 1
    wanted_days = Counter()
    for (customer, pairs), n in year.wanted.items():
        wanted_days[customer, dict(pairs)["event_time"][:10]] += n
    problems = [f"{n} rows too many: {content}" for content, n in (got - year.wanted).items()]
    problems += [f"{n} rows missing: {content}" for content, n in (year.wanted - got).items()]
    return problems + [f"{key}: {days[key]} rows, expected {wanted_days[key]}" for key in {*days, *wanted_days} if days[key] != wanted_days[key]]


def as_text(column):
    if str(column.type).startswith("timestamp"):
        return [t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03}Z" for t in column.to_pylist()]
    return column.to_pylist()


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
