#!/usr/bin/env python3
"""replay_test.py [--binary PATH] [--seed N] [--kills N] [--events N]

`auditlake replay`, from outside: a lake that was loaded with one `strip` and one rule is replayed with others, killed at random instants beside a run that goes on, and
has to end as a lake that was loaded with the others from the start: silver, the quarantine and gold. Rows, versions and `txn` are read by delta-rs, not by auditlake.

Exit status 1 when something is wrong.
"""
import argparse, json, os, random, shutil, signal, subprocess, sys, tempfile, time
from deltalake import DeltaTable

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCHEMA, STATE = "audit", 76
OLD, NEW = ("[null, \"\"]", "warn"), ("[null]", "drop")                  # strip, and what becomes of an event with a wrong workspaceId
QUARANTINE = "_auditlake.quarantine_dbx"
WRONG = 20                                                             # each event with a number that it divides has a wrong workspaceId
FIRST = 1767225600000                                                  # 2026-01-01 in milliseconds


def demand(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


class ReplayLake:
    """a folder with a configuration and a lake of the events of another"""

    def __init__(self, binary, folder, events):
        self.binary, self.folder, self.events = binary, folder, events
        os.makedirs(folder)

    def configure(self, settings):
        strip, action = settings
        with open(os.path.join(self.folder, "auditlake.yaml"), "w") as f:
            f.write(f"lake: ./lake\npipelines:\n  dbx:\n    kind: databricks\n    source: {{objects: {json.dumps(self.events + '/**/*.json')}}}\n"
                    f"    schema: {SCHEMA}\n    strip: {strip}\n    expectations: {{valid_workspace_id: {action}}}\n    batch_bytes: 100kB\n")

    def run(self, *arguments, status=0):
        done = subprocess.run([self.binary, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=600)
        demand(done.returncode == status, f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done

    def start(self, *arguments):
        return subprocess.Popen([self.binary, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.folder, "lake", "main", *name.split("."))

    @property
    def tables(self):
        gold = f"{SCHEMA}_gold"
        return [f"{SCHEMA}.silver", QUARANTINE] + sorted(f"{gold}.{n}" for n in os.listdir(self.path(gold)))

    def transactions(self, name):
        table = DeltaTable(self.path(name))
        shard = json.load(open(os.path.join(self.folder, "lake", "_auditlake", "dbx", "0", "shard.json")))["appID"]
        return table.transaction_version(shard)

    def rows(self, name, version=None):
        """every row without its time of ingest, as text; fields without a value are left out, so that tables of other histories compare"""
        table = DeltaTable(self.path(name), version=version)
        found = []
        for row in table.to_pyarrow_table().to_pylist():
            row.pop("ingest_ts")
            params = row.pop("requestParams", None)
            params = dict(params) if isinstance(params, list) else {k: v for k, v in (params or {}).items() if v is not None}
            found.append(json.dumps([params, row], sort_keys=True, default=str))
        return sorted(found)


def write_events(folder, name, numbers, chance):
    with open(os.path.join(folder, name), "w") as f:
        for n in numbers:
            service = chance.choice(["accounts", "clusters", "jobs", "unityCatalog", "a-b"])
            params = {f"k{chance.randrange(6)}": str(n), f"e{chance.randrange(4)}": chance.choice(["", None, "x"])}
            f.write(json.dumps({"version": "2.0", "timestamp": FIRST + n * 60_000, "workspaceId": "x" if n % WRONG == 0 else "7", "serviceName": service, "actionName": "act",
                                "requestId": f"r{n}", "requestParams": params, "response": {"statusCode": 200}}) + "\n")


def files(folder):
    return {os.path.join(place, n) for place, _, names in os.walk(folder) for n in names}


def compare(lake, fresh, moment):
    demand(lake.tables == fresh.tables, f"{moment}: tables {lake.tables}, expected {fresh.tables}")
    for name in lake.tables:
        got, want = lake.rows(name), fresh.rows(name)
        demand(got == want, f"{moment}: {name} has {len(got)} rows, expected {len(want)}; first difference {next(((g, w) for g, w in zip(got, want) if g != w), None)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "auditlake"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--events", type=int, default=6_000)
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    chance = random.Random(options.seed)
    root = tempfile.mkdtemp(prefix="auditlake-replay-")
    try:
        test(options, chance, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def test(options, chance, root):
    events = os.path.join(root, "events")
    os.makedirs(events)
    write_events(events, "a.json", range(options.events), chance)
    lake = ReplayLake(options.binary, os.path.join(root, "replayed"), events)
    lake.configure(OLD)
    lake.run("run", "--once")

    # The difference, and nothing left behind.
    lake.configure(NEW)
    before = files(lake.folder)
    wrong = len(range(0, options.events, WRONG))
    silver, quarantine = json.loads(lake.run("replay", "silver", "--format", "json").stdout)
    demand(silver["rows_before"] == options.events and silver["rows_after"] == options.events - wrong, f"silver: {silver}")
    demand(silver["only_before"] == wrong and silver["only_after"] == 0, f"silver: {silver}")
    demand(silver["changed"] == silver["changes"]["requestParams"] > 0 and list(silver["changes"]) == ["requestParams"], f"silver: {silver}")
    demand(quarantine["table"] == f"main.{QUARANTINE}" and quarantine["rows_before"] == 0, f"quarantine: {quarantine}")
    demand(quarantine["rows_after"] == quarantine["only_after"] == wrong, f"quarantine: {quarantine}")
    gold = json.loads(lake.run("replay", "gold", "--format", "json").stdout)
    demand(sum(t["changed"] for t in gold) == silver["changed"] and sum(t["rows_after"] for t in gold) == options.events - wrong, f"gold: {gold}")
    demand(files(lake.folder) == before, f"left behind: {files(lake.folder) ^ before}")
    print(f"difference: {silver['changed']} of {options.events} rows change and {wrong} go to the quarantine, nothing is left")

    # Killed at random instants, beside a run that follows.
    versions = {name: DeltaTable(lake.path(name)).version() for name in lake.tables}
    old = {name: lake.rows(name) for name in lake.tables}
    transactions = {name: lake.transactions(name) for name in lake.tables}
    lengths = {}
    for layer in ("silver", "gold"):
        started = time.monotonic()
        lake.run("replay", layer)
        lengths[layer] = time.monotonic() - started
    killed = 0
    for number in range(options.kills):
        lake.configure([NEW, OLD][number // 2 % 2])
        layer = ("silver", "gold")[number % 2]
        process = lake.start("replay", layer, "--apply")
        time.sleep(chance.uniform(0.1, 1.2) * lengths[layer])
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        demand(transactions == {name: lake.transactions(name) for name in transactions}, "a txn has changed")
    lake.configure(NEW)
    for layer in ("silver", "gold"):
        lake.run("replay", layer, "--apply")
    demand(transactions == {name: lake.transactions(name) for name in transactions}, "a txn has changed")
    fresh = ReplayLake(options.binary, os.path.join(root, "fresh"), events)
    fresh.configure(NEW)
    fresh.run("run", "--once")
    compare(lake, fresh, "after the replays")
    for name, version in versions.items():
        demand(lake.rows(name, version) == old[name], f"{name}: version {version} cannot be read as it was")
    print(f"{killed} of {options.kills} replays killed: a fresh load's tables, txn as before, the versions before can be read")

    # Beside a run that follows.
    follower = lake.start("run", "--follow", "--log-level", "error")
    lake.configure(OLD)
    count, refused, applied = options.events, 0, 0
    for number in range(6):
        write_events(events, f"b{number}.json.new", range(count, count + 500), chance)
        os.rename(os.path.join(events, f"b{number}.json.new"), os.path.join(events, f"b{number}.json"))
        count += 500
        lake.configure([OLD, NEW][number % 2])
        process = lake.start("replay", ["silver", "gold"][number // 2 % 2], "--apply")
        status = process.wait()
        demand(status in (0, 1, STATE), f"replay beside a run ended with {status}")
        refused, applied = refused + (status != 0), applied + (status == 0)
    end = time.monotonic() + 120
    while len(lake.rows(f"{SCHEMA}.bronze")) < count and time.monotonic() < end:
        time.sleep(0.2)
    follower.send_signal(signal.SIGTERM)
    demand(follower.wait(timeout=60) == 0, "the run ended with an error")
    lake.configure(NEW)
    lake.run("run", "--once")
    for layer in ("silver", "gold"):
        lake.run("replay", layer, "--apply")
    fresh.run("run", "--once")
    compare(lake, fresh, "beside a run")
    print(f"{applied} replays applied beside a run, {refused} told to run again: no row lost, none twice")


if __name__ == "__main__":
    main()
