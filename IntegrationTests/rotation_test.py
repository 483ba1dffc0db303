#!/usr/bin/env python3
"""rotation_test.py [--seconds 30] [--rate 5000] [--seed N] [--schemes all|each|NAME,NAME…] [--kills N] [--formats csv,json] [--binary PATH]

A process of its own writes csvlog and jsonlog at a rate and rotates them by every scheme that logwriter.py lists, while `auditlake run --follow`
reads them and is killed and started again at random instants: of four ends three are SIGKILL and one is SIGTERM, which must end well. Then the
reader drains, and each table must hold every record once, with equal text; of a sample every column must be right; the quarantine must be
empty; a further run must find nothing.

With `all`, the default, each scheme runs alone for a sixth of the seconds, and then all of them together for the seconds.
Where a scheme destroys bytes, the writer waits until the lake holds them. With the scheme `first` all files begin with the same record: it is
one record, written again and again, so the lake may hold it once or more often (a file of which nothing but this record was read cannot be told
from another one); every other record is exactly once.

Exit status 1 on any deviation; the folder is left then.
"""
import os, random, shutil, signal, sys, time, warnings
import follow, harness, logwriter
from follow import Follower, Site
from harness import Failure
from logwriter import SCHEMES, Writer

NEEDS = {"vanish": ("names",), "current": ("names",), "first": ("names", "rename")}


def globs(folder, form, rng):
    """compressed siblings of these are read without being named"""
    base = os.path.join(folder, form)
    return rng.choice(([f"{base}/*.{form}", f"{base}/*.{form}.[0-9]*"], [f"{base}/*.{form}*"]))


def site_for(a, folder, forms, schemes, rng, **keys):
    logs, pipelines = os.path.join(folder, "logs"), {}
    for form in forms:
        source = {"files": globs(logs, form, rng)}
        if "current" in schemes:
            source["current_logfiles"] = os.path.join(logs, form, "current_logfiles")
        pipelines[f"node_{form}"] = {"source": source} | keys
    return Site(a.binary, folder, pipelines), logs


def trouble(follower, writer, rng, seconds, kills, schemes, counts):
    """ends and starts the reader at random instants while the writer writes"""
    end = time.monotonic() + seconds
    pause = seconds / kills if kills else 2 * seconds
    while time.monotonic() < end:
        until = min(end, time.monotonic() + rng.uniform(0.1, 2 * pause) if kills else 2 * seconds)
        while time.monotonic() < until:
            writer.check()
            follower.check()
            time.sleep(min(0.05, max(0, until - time.monotonic())))
        if until == end:
            return
        if rng.random() < 0.75:
            follower.kill()
            counts["kills"] += 1
        else:
            follower.stop(rng.choice((signal.SIGTERM, signal.SIGINT)))
            counts["stops"] += 1
        if "vanish" in schemes and writer.reader_is_stopped():
            counts["came and went"] += 1
        time.sleep(rng.choice((0, rng.uniform(0, 0.3), rng.uniform(0, 1))))
        follower.start()


def drain(site, follower, forms, result):
    """waits until every number has arrived, ends the reader, and reads the rest: what a stop found unfinished"""
    end = time.monotonic() + follow.ARRIVES_WITHIN
    arrivals = {form: logwriter.Arrivals(site.streams[f"node_{form}"].table) for form in forms}
    while True:
        follower.check()
        missing = {}
        for form, arrival in arrivals.items():
            arrival.poll()
            if n := result["numbers"] - len(arrival.numbers):
                missing[form] = n
        if not missing:
            break
        if time.monotonic() > end:
            raise Failure(f"after {follow.ARRIVES_WITHIN} s not in the lake: {missing} of {result['numbers']} numbered records; it said: {follower.words()}")
        time.sleep(0.1)
    follower.stop()
    site.once()


def settle(site, writer, forms, schemes, result, seed):
    """what is wrong at the end"""
    problems = []
    for form in forms:
        stream = site.streams[f"node_{form}"]
        constant = logwriter.without_remote(logwriter.FORMS[form](logwriter.CONSTANT), form).decode() if "first" in schemes else None
        records, found = follow.reckon(stream, form, writer.journal(form), constant, seed=seed)
        problems += [f"{form}: {p}" for p in found]
        if records != result["records"] and not found:
            problems.append(f"{form}: the journal has {records} records, the writer counted {result['records']}")
    again = site.once()
    if any(r.get("rows", 0) or r.get("batches", 0) for r in again):
        problems.append(f"a further run found {again}")
    return problems


def one(a, folder, name, schemes, seconds, kills, rng):
    counts = {"kills": 0, "stops": 0, "came and went": 0}
    forms = a.formats
    site, logs = site_for(a, folder, forms, schemes, rng, commit_every="1s" if rng.random() < 0.5 else "200ms")
    tables = {form: site.streams[f"node_{form}"].table for form in forms}
    seed, problems, result = rng.randrange(1 << 30), [], None
    with Follower(site) as follower, Writer(logs, seed, a.rate, forms, schemes, tables, period=(0.2, 1.0)) as writer:
        site.writer = writer
        try:
            follower.start()
            trouble(follower, writer, rng, seconds, kills, schemes, counts)
            result = writer.stop()
            drain(site, follower, forms, result)
            problems = settle(site, writer, forms, schemes, result, seed)
        except Failure as e:
            problems = [str(e)]
    if result:
        done = "; ".join(f"{form}: " + ", ".join(f"{w} {n}" for w, n in sorted(result["counts"][form].items())) for form in forms)
        print(f"{name}: {result['records']} records in {result['seconds']:.1f} s, {counts['kills']} killed, {counts['stops']} stopped; {done}; "
              + ("every record once" if not problems else "FAILED"), flush=True)
    else:
        print(f"{name}: FAILED; {counts['kills']} killed, {counts['stops']} stopped", flush=True)
    for p in problems:
        print(f"  {p}")
    return not problems


def main():
    p = harness.arguments(__doc__, logs=False)
    p.add_argument("--seconds", type=float, default=30)
    p.add_argument("--rate", type=int, default=5000, help="records a second and format (5000)")
    p.add_argument("--kills", type=int, help="ends of the reader in the mixed run (one in 2 s)")
    p.add_argument("--formats", default="csv,json")
    p.add_argument("--schemes", default="all", help="all: each alone, then all mixed; each; mixed; or names: " + ", ".join(SCHEMES))
    a = p.parse_args()
    a.formats = a.formats.split(",")
    a.work = a.work or os.environ.get("TMPDIR") or "/tmp"              # a disk's file system gives an inode again, tmpfs does not
    folder = harness.prepare(a)
    follow.clean_up_when_stopped()
    print(f"seed {a.seed}")
    rng, good, started = random.Random(a.seed), True, time.monotonic()
    kills = a.seconds / 2 if a.kills is None else a.kills
    runs = []
    if a.schemes in ("all", "each"):
        runs += [(s, (*NEEDS.get(s, ()), s), a.seconds / 6, max(2, kills / 6) if kills else 0) for s in SCHEMES]
    if a.schemes in ("all", "mixed"):
        runs += [("all mixed", SCHEMES, a.seconds, kills)]
    if not runs:
        schemes = tuple(a.schemes.split(","))
        if unknown := set(schemes) - set(SCHEMES):
            p.error(f"no scheme {', '.join(unknown)}; there are {', '.join(SCHEMES)}")
        runs = [("+".join(schemes), schemes, a.seconds, kills)]
    for number, (name, schemes, seconds, n) in enumerate(runs):
        place = os.path.join(folder, str(number))
        ok = one(a, place, name, schemes, seconds, n, random.Random(rng.randrange(1 << 30)))
        if ok and not a.keep:
            shutil.rmtree(place, ignore_errors=True)
        good &= ok
    return harness.conclude(a, folder, not good, started)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
