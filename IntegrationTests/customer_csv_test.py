#!/usr/bin/env python3
"""customer_csv_test.py [--binary PATH] [--only NAME…] [--readers NAME,…]

The pipeline of customers' CSV files through the real binary, every column of its table held against customer_expected, in five readers:

  generated  files of bench/gen_customer_csv.py
  shapes     other orders of columns, other separators, CR LF, a byte order mark, quoted newlines, compressed files, ragged records, values that do not fit
  overlaps   files that overlap, come again, grow and are rewritten, in several runs
  path       the customer is told by the path
  masked     masked columns; nothing of their values is anywhere below the lake, nor in what is said
"""
import gzip, json, os, random, subprocess, sys, warnings
import pyarrow
import customer_expected as expected
import customer_lake, harness
from customer_lake import READERS, CustomerLake
from harness import ROOT, Failure, demand

KEY = "a key for tests, and nothing else"


def settle(lake, readers, name):
    """drains, looks that a further run finds nothing, and reckons"""
    lake.drain()
    again = lake.drain()
    demand(not again["batches"] and not again["rows"], f"a further run found {again['batches']} batches with {again['rows']} rows")
    problems, table = customer_lake.reckon(lake, readers)
    if problems:
        raise Failure(f"{len(problems)} problems:\n  " + "\n  ".join(p[:600] for p in problems[:60]))
    print(f"{name}: {len(lake.numbers('receipts'))} batches, {len(table.rows)} rows of {len(table.columns)} columns, {table.duplicates} known rows left out, "
          f"{len(table.quarantine)} in quarantine; every column alike in {', '.join(readers)}", flush=True)
    return table


# ---------------------------------------------------------------- files

def events(count, rng, first=0, customer="acme"):
    """records as dictionaries of text; some have nothing in some columns"""
    for n in range(first, first + count):
        second = n * 37 % 86_400
        yield {"customer": customer, "event_time": f"2026-11-{1 + n % 5:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{n % 1000:03}Z",
               "action": rng.choice(["view", "update", "log in", "naïve ✓"]), "size": str(n * 7 % 1_000_003 - 500) if n % 9 else "",
               "rate": f"{n % 100}.{n % 10}" if n % 4 else "", "ok": rng.choice(["true", "FALSE"]), "code": f"{n % 1000:05}",
               "details": rng.choice(["", '{"a":"b, c"}', 'line one\nline "two"', "a;b|c", f"x{n}"])}


def text(rows, names, separator=",", ending="\n", mark=b""):
    """a file of these columns"""
    def field(v):
        return '"' + v.replace('"', '""') + '"' if any(c in v for c in (separator, '"', "\n", "\r")) else v
    lines = [separator.join(names), *(separator.join(field(r.get(n, "")) for n in names) for r in rows)]
    return mark + "".join(line + ending for line in lines).encode()


NAMES = ["customer", "event_time", "action", "size", "rate", "ok", "code", "details"]


def generated(a, folder):
    lake = CustomerLake(a.binary, folder, expected.Kept(customer="customer_id"), customer="{column: customer_id}")
    source = os.path.join(folder, "generated")
    subprocess.run([sys.executable, os.path.join(ROOT, "bench", "gen_customer_csv.py"), "--files", "12", "--mb-each", "0.05", "--out", source], check=True, stderr=subprocess.DEVNULL)
    for name in sorted(os.listdir(source)):
        with open(os.path.join(source, name), "rb") as f:
            lake.put(name, f.read())
    settle(lake, a.readers, "generated")


def shapes(a, folder):
    lake, rng = CustomerLake(a.binary, folder), random.Random(1)
    lake.put("1.csv", text(events(300, rng), NAMES))
    shuffled = NAMES[:]
    for n, (separator, ending, mark) in enumerate([(";", "\n", b""), ("\t", "\r\n", b"\xef\xbb\xbf"), ("|", "\r\n", b""), (",", "\n", b"\xef\xbb\xbf")], 2):
        rng.shuffle(shuffled)
        names = [c.upper() if n == 3 else f" {c} " for c in shuffled]
        rows = [{c.upper() if n == 3 else f" {c} ": v for c, v in r.items()} for r in events(100, rng, n * 1000, "umbra")]
        lake.put(f"{n}.csv", text(rows, names, separator, ending, mark))
    data = text(events(200, rng, 9000), [*NAMES[:4], "reason"])
    lake.put("6.csv.gz", data, gzip.compress(data))
    data = text(events(200, rng, 12000), NAMES)
    lake.put("7.csv.zst", data, pyarrow.Codec("zstd").compress(data, asbytes=True))
    wrong = list(events(40, rng, 15000))
    for n, row in enumerate(wrong):
        row |= [{"size": "many"}, {"rate": "1.2.3"}, {"ok": "yes"}, {"event_time": "yesterday"}, {"size": "9223372036854775808"}][n % 5]
    lake.put("8.csv", text(wrong, NAMES) + b"acme,too,few\nacme,2026-11-01T00:00:00Z,too,many,of,them,are,here,now\n")
    lake.put("9.csv", text([], NAMES))
    lake.put("a.csv", text(events(3, rng, 17000), NAMES)[:-1])
    table = settle(lake, a.readers, "shapes")
    demand(len(table.quarantine) == 2, "two records are ragged")
    demand(sum(r["_rescued"] is not None for r in table.rows) == 40, "forty rows have a value that does not fit")


def overlaps(a, folder):
    lake, rng = CustomerLake(a.binary, folder), random.Random(2)
    rows = list(events(600, rng))
    rows += rows[:30]                                                  # real events that are equal
    lake.put("a.csv", text(rows[:200], NAMES))
    lake.put("b.csv", text(rows[150:300], NAMES[::-1]))
    lake.drain()
    lake.put("a.csv", text(rows[:250], NAMES))                        # grown
    lake.put("c.csv", text(rows[280:], NAMES))
    lake.drain()
    lake.put("a.csv", text(rows[100:260], NAMES))                      # rewritten
    lake.put("d.csv", text(rows, NAMES))
    table = settle(lake, a.readers, "overlaps")
    demand(len(table.rows) == 630, f"{len(table.rows)} rows, expected each of 600 events once and 30 twice")


def path(a, folder):
    lake = CustomerLake(a.binary, folder, customer_of=lambda p: os.path.basename(os.path.dirname(p)), customer='{path: "csv/{customer}/"}')
    lake.kept.customer, rng = None, random.Random(3)
    for customer in ("acme", "umbra", "société"):
        lake.put(f"{customer}/1.csv", text(events(50, random.Random(4)), NAMES[1:]))
    table = settle(lake, a.readers, "path")
    demand({r["customer"] for r in table.rows} == {"acme", "umbra", "société"} and len(table.rows) == 150, "each customer has all events")


def masked(a, folder):
    os.environ["MASK_KEY"] = KEY
    kept = expected.Kept(masks={"ip": "hash", "user": 3, "token": "drop"}, key=KEY.encode(), exclude=["run"])
    lake = CustomerLake(a.binary, folder, kept, mask="{ip: hash, user: {truncate: 3}, token: drop}", mask_key='"${MASK_KEY}"', identity="{exclude: [run]}")
    rng, secrets = random.Random(5), []
    for n in range(3):
        rows = []
        for r in events(60, rng, 30 * n):
            r |= {"ip": f"198.51.100.{rng.randint(1, 3)}", "user": f"usr{rng.randint(1, 3)}-hidden", "token": f"token-hidden-{r['code']}", "run": str(n)}
            rows.append(r)
        lake.put(f"{n}.csv", text(rows, [*NAMES, "ip", "user", "token", "run"]) + b"acme,ragged,198.51.100.9,hidden-too\n")
    table = settle(lake, a.readers, "masked")
    demand(table.quarantine and all(r["raw"] == "***" for r in table.quarantine), "the text of what is quarantined is withheld")
    said = lake.run("run", "--once", "--log-level", "trace")
    for root, _, names in os.walk(lake.lake):
        for name in names:
            with open(os.path.join(root, name), "rb") as f:
                data = f.read()
            for secret in (b"198.51.100.", b"hidden", KEY.encode()):
                demand(secret not in data, f"{os.path.join(root, name)} holds {secret!r}")
    demand(KEY not in said.stdout + said.stderr and "hidden" not in said.stdout + said.stderr, "the log shows a secret")


def main():
    p = harness.arguments(__doc__, logs=False, seed=False)
    p.add_argument("--only", nargs="*", default=[])
    p.add_argument("--readers", default=",".join(READERS), type=lambda t: t.split(","))
    a = p.parse_args()
    folder, good = harness.prepare(a), True
    for case in (generated, shapes, overlaps, path, masked):
        if a.only and case.__name__ not in a.only:
            continue
        try:
            case(a, os.path.join(folder, case.__name__))
        except Failure as e:
            print(f"FAILED: {case.__name__}: {e}", flush=True)
            good = False
    return harness.conclude(a, folder, not good)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
