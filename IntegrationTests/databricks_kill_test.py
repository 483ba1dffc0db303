#!/usr/bin/env python3
"""databricks_kill_test.py [--kills 40] [--seed N] [--binary PATH] [--s3]

Kills auditlake with SIGKILL at instants that are spread over all phases of a batch of Databricks events, starts it again, and at the end holds every table
against an independent reading of the files: bronze, silver, the quarantine and every gold table have each of their rows once, with equal columns.

Six lakes: one file of one line a batch (more than a hundred batches of three tables and more), files that arrive and are delivered again with more lines between and during the
runs, everything in a few huge batches, and batches of which any set of the tables is there: a run is killed when all tables of a batch are committed and the
receipt is not, then the commits of some of them are taken away, as if their turn had not come. So silver has a batch that gold has not, and the other way round.
In the fifth, the rules and the layers of a run (--only) change from run to run, so that a batch is finished under others than those that it was planned with. In the sixth,
`on_data_loss: continue` is set, and a file of a batch that was left open goes away before the next run.

With --s3 the lakes lie in a bucket of moto; it is enough then that each phase got a kill, and what came about besides is shown.

It counts in which phase a kill fell, what it left of a batch that has no receipt (which of its tables were there), and what had changed when such a batch was finished.
Exit status 1 on any deviation, when a phase got no kill, when silver never had a batch without gold or gold without silver, or when one of these changes never came about.
"""
import glob, json, os, random, sys, time, warnings
from collections import Counter
import databricks_lake, databricks_test, harness, s3_lake
from databricks_lake import GOLD, SCHEMA, EventLake
from harness import PHASES, Failure, Killer

CHECKPOINT_AT = 100                                                    # the commits of a table until its first checkpoint
LAYERS = ("quarantine", "bronze", "silver", "gold")


# ---------------------------------------------------------------- a batch of which some tables are there

def layer(name):
    """the layer of a table, by its three-level name"""
    return "gold" if name.startswith(f"main.{GOLD}.") else "quarantine" if ".quarantine_" in name else name.rsplit(".", 1)[1]


def open_batch(workspace):
    """number and tables of the batch that has a plan but no receipt; None when there is none"""
    plans, receipts = workspace.numbers("plans"), workspace.numbers("receipts")
    if len(plans) == len(receipts):
        return None
    plan = workspace.read("plans", plans[-1])
    return plan["batch"], [t["name"] for t in plan["tables"] if t["rows"]], plan["appID"]


def committed(workspace, batch, tables, app):
    """those of the tables that have the batch"""
    there = []
    for name in tables:
        place = workspace.place(name.removeprefix("main."))
        if glob.glob(os.path.join(glob.escape(place), "_delta_log", "*.json")) and harness.Log(place).transactions.get(app) == batch:
            there.append(name)
    return there


def state(workspace):
    """what of the open batch is there, in words"""
    if not (found := open_batch(workspace)):
        return "no batch is open"
    _, tables, _ = found
    there = set(committed(workspace, *found))
    words = []
    for l in LAYERS:
        mine = {t for t in tables if layer(t) == l}
        if mine:
            words.append(f"{'no' if not mine & there else 'all' if mine <= there else 'some'} {l}" if l == "gold" else f"{l}" if mine <= there else f"no {l}")
    return ", ".join(words)


def take_back(workspace, name, batch, app):
    """removes a table's commit of a batch, as if it had not come to it; False when more than a commit would have to go"""
    place = workspace.place(name.removeprefix("main."))
    folder = os.path.join(place, "_delta_log")
    files = sorted(f for f in os.listdir(folder) if f.endswith(".json") and f[:20].isdigit())
    with open(os.path.join(folder, files[-1])) as f:
        actions = [json.loads(line) for line in f if line.strip()]
    if not any(a.get("txn") == {"appId": app, "version": batch} | {k: v for k, v in a.get("txn", {}).items() if k == "lastUpdated"} for a in actions):
        return False
    if glob.glob(os.path.join(glob.escape(folder), f"{files[-1][:20]}.checkpoint*")):
        return False
    workspace.remove(os.path.join(folder, files[-1]))
    return True


# ---------------------------------------------------------------- files that arrive, and come again with more lines

class Deliveries:
    """writes files of events as Databricks does: whole, each under its final name at once; later again, with more lines"""

    def __init__(self, sources, lake, rng, unterminated=0.2):
        """`sources`: name and lines of every file; `unterminated`: the share of deliveries that end without a newline"""
        self.lake, self.rng, self.unterminated, self.time = lake, rng, unterminated, databricks_test.LEFT_ALONE
        self.files = [[name, lines, 0] for name, lines in sources]

    @property
    def left(self):
        return sum(len(lines) - at for _, lines, at in self.files)

    def deliver(self, most):
        """one file with up to `most` lines more than it had"""
        file = self.rng.choice([f for f in self.files if f[2] < len(f[1])])
        name, lines, at = file
        file[2] = at = min(len(lines), at + self.rng.randint(1, most))
        self.time += 1
        data = b"\n".join(lines[:at]) + (b"\n" if self.rng.random() >= self.unterminated else b"")
        databricks_test.put(self.lake, name, data, self.time)

    def deliver_all(self, most=1 << 30):
        while self.left:
            self.deliver(most)


def sources(rng):
    """the sample's files, and the nasty events in some more"""
    found = [(name, data.splitlines()) for name, data in databricks_test.sample_files() if name.endswith(".json")]
    nasty = [line for line in databricks_test.nasty_lines() if line.strip()]
    rng.shuffle(nasty)
    return found + [(f"nasty/{n}.json", nasty[n::4]) for n in range(4)]


# ---------------------------------------------------------------- the lakes

def one_file_a_batch(killer, folder, kills):
    w = killer.workspace(EventLake, folder, batch_bytes="1B")
    lines = [line for name, lines in sources(killer.rng) if "nasty" not in name for line in lines][:CHECKPOINT_AT + 40]
    # A line without its newline shares its batch with the next file.
    Deliveries([(f"{n}.json", [line]) for n, line in enumerate(lines)], w, killer.rng, unterminated=0).deliver_all()
    while kills and len(w.numbers("receipts")) < len(lines) - 5:
        # A run that is to die in the first checkpoint may go all the way there: it has to be the last.
        is_last = kills == 1 and not killer.counts[b"k"]
        phase = b"k" if is_last else killer.target(PHASES if len(w.numbers("receipts")) > CHECKPOINT_AT - 30 else [p for p in PHASES if p != b"k"])
        kills -= killer.kill(w, phase, killer.rng.randint(1, 1 if phase == b"k" else 40), killer.delay())
    return w


def growing_files(killer, folder, kills):
    w = killer.workspace(EventLake, folder, batch_bytes=f"{killer.rng.randint(2_000, 20_000)}B")
    deliveries = Deliveries(sources(killer.rng), w, killer.rng)
    while kills and deliveries.left:
        for _ in range(killer.rng.randint(1, 3)):
            if deliveries.left:
                deliveries.deliver(40)
        phase = killer.target([p for p in PHASES if p != b"k"])
        kills -= killer.kill(w, phase, killer.rng.randint(1, 12), killer.delay())
    deliveries.deliver_all()
    return w


def huge_batches(killer, folder, kills):
    w = killer.workspace(EventLake, folder)
    deliveries = Deliveries(sources(killer.rng), w, killer.rng)
    while kills and deliveries.left:
        deliveries.deliver(200)
        for _ in range(min(kills, killer.rng.randint(1, 3))):
            phase = killer.target([p for p in PHASES if p != b"k"])
            if not killer.kill(w, phase, killer.rng.randint(1, 12) if phase == b"c" else 1, killer.delay(0.02 if phase in (b"r", b"d") else 0.005)):
                break
            kills -= 1
    deliveries.deliver_all()
    return w


def any_tables(killer, folder, kills):
    """lets a batch come to its receipt, kills it there, and takes commits back"""
    w = killer.workspace(EventLake, folder)
    deliveries = Deliveries(sources(killer.rng), w, killer.rng)
    while kills and deliveries.left:
        deliveries.deliver(killer.rng.randint(20, 120))
        if not killer.kill_before_receipt(w):
            continue
        kills -= 1
        found = open_batch(w)
        batch, tables, app = found
        # Silver's turn comes and goes with every other kill; the others' as they like.
        for name in tables:
            if (killer.total % 2 == 0) if layer(name) == "silver" else killer.rng.random() < 0.4:
                take_back(w, name, batch, app)
        killer.killed(w)
        if problems := harness.standing(w):
            raise Failure(f"after commits were taken back: " + "; ".join(problems))
    deliveries.deliver_all()
    return w


class ChangingLake(EventLake):
    """runs under rules and layers that change from run to run"""

    RULES = [(), (("valid_workspace_id", "drop"),), (("action_name_is_not_null", "drop"), ("valid_workspace_id", "drop"))]
    LAYERS = ["all", "bronze,silver", "gold"]

    def __init__(self, binary, folder, **keys):
        self.rules, self.layers, self.keys = (), "all", keys
        super().__init__(binary, folder, **keys)
        self.is_apart = True

    def change(self, rules, layers):
        """what the next run goes by; the batches so far were planned by what held until now"""
        self.note_plans()
        self.rules, self.layers = rules, layers
        self.configure("events/**/*.json*", expectations="{%s}" % ", ".join(f"{rule}: {action}" for rule, action in rules), **self.keys)

    def note_plans(self):
        for number in self.numbers("plans"):
            self.actions.setdefault(number, self.rules)

    def start(self, *arguments):
        return super().start("--only", self.layers, *arguments)


def rule_breakers(count):
    """events that break no rule, one or two"""
    kinds = [{}, {"workspaceId": '"x"'}, {"actionName": "null"}, {"workspaceId": '"-1"', "actionName": "null"}]
    return [databricks_test.event(f"rules{n % 3}", json.dumps({"n": str(n)}), requestId=f'"rule-{n}"', **kinds[n % 4]).encode() for n in range(count)]


def other_settings(killer, folder, kills):
    """every run goes by other rules, and brings other layers forward"""
    w = killer.workspace(ChangingLake, folder, batch_bytes=f"{killer.rng.randint(8_000, 40_000)}B")
    files = [(name, lines) for name, lines in sources(killer.rng) if "nasty" not in name]
    deliveries = Deliveries([*files, *((f"rules/{n}.json", rule_breakers(80)) for n in range(4))], w, killer.rng)
    while kills and deliveries.left:
        for _ in range(killer.rng.randint(2, 5)):
            if deliveries.left:
                deliveries.deliver(30)
        kills -= killer.kill(w, killer.rng.choice([b"d", b"c", b"c", b"c", b"t"]), killer.rng.randint(1, 4), killer.delay())
        # A run of gold alone has no batch of its own to be killed in: it is to be rarer.
        change_settings(killer, w, killer.rng.choice([layers for layers in [*w.LAYERS, "all", "bronze,silver"] if layers != w.layers]))
    change_settings(killer, w, "all")
    deliveries.deliver_all()
    Deliveries([("last.json", rule_breakers(4))], w, killer.rng).deliver_all()
    return w


def change_settings(killer, w, layers):
    """other rules for the next run, and these layers; counts what an open batch is finished under"""
    rules = killer.rng.choice([rules for rules in w.RULES if rules != w.rules])
    if open_batch(w):
        killer.changes["under other rules"] += 1
        killer.changes["with other layers"] += layers != w.layers
    w.change(rules, layers)


def lost_files(killer, folder, kills):
    """a file of an open batch goes away before the batch is finished"""
    w = killer.workspace(EventLake, folder, on_data_loss="continue")
    place = os.path.join(folder, "lost")
    os.makedirs(place)
    rng, number = killer.rng, 0
    while kills:
        # Files of their own for each round: one that is lost brings nothing more.
        number += 1
        all_files = sources(rng)
        for name, lines in rng.sample(all_files, 3):
            some = rng.sample(lines, min(len(lines), 20)) + [b"{broken"] * rng.randint(0, 2)
            databricks_test.put(w, f"{number}/{name}", b"\n".join(some) + b"\n", databricks_test.LEFT_ALONE + number)
        # While the plan is stored, or the first tables are committed: before or after bronze has the batch.
        while kills and not open_batch(w) and killer.kill(w, *rng.choice([(b"p", 1), (b"c", 1), (b"c", 2), (b"c", 4)]), killer.delay()):
            kills -= 1
        if open_batch(w):
            lose(killer, w, place)
            if kills and rng.random() < 0.6:                           # bronze may now have the batch without those bytes
                kills -= killer.kill(w, b"c", rng.randint(2, 5), killer.delay())
            w.drain()
    return w


def lose(killer, w, place):
    """takes away one of the files that the open plan names"""
    found = open_batch(w)
    batch, tables, _ = found
    held = {layer(t) for t in committed(w, *found)} | {l for l in ("bronze", "quarantine") if l not in map(layer, tables)}
    range_ = killer.rng.choice([r for r in w.read("plans", batch)["objects"] if r["to"] > r["from"]])
    w.lost[range_["key"]] = os.path.join(place, f"{batch}-{os.path.basename(range_['key'])}")
    os.rename(range_["key"], w.lost[range_["key"]])
    w.losses.append(databricks_lake.Loss(batch, range_["key"], range_["from"], range_["to"], held))
    killer.changes["without a file, from bronze" if "bronze" in held else "without a file that bronze has not"] += 1


class EventKiller(Killer):
    """also counts what of a batch was there, and what had changed when it was finished"""

    CHANGES = ("under other rules", "with other layers", "without a file, from bronze", "without a file that bronze has not")

    def __init__(self, a, rng, located):
        super().__init__(a, rng, located=located, killed=lambda w: self.states.update([state(w)]))
        self.states, self.changes = Counter(), Counter()

    def kill_before_receipt(self, workspace):
        """one run, killed when all tables of a batch are committed and the receipt is not there; False when that did not come about"""
        run, done = workspace.start(), len(workspace.numbers("receipts"))
        while byte := run.next():
            found = open_batch(workspace) if byte in (b"c", b"k") else None
            if not found or len(found[1]) - len(committed(workspace, *found)) > 1:
                continue
            end = time.monotonic() + 5                                 # the next phase is told but unread: the process comes to the end of this one and waits
            while time.monotonic() < end and len(committed(workspace, *found)) < len(found[1]):
                os.sched_yield()
            break
        if not byte:
            run.finish()
            return False
        died = run.kill()
        if died is None or len(workspace.numbers("receipts")) > done or not open_batch(workspace):
            self.late += 1
            return False
        self.counts[died] += 1
        return True


def settle(w, name):
    """drains a lake, looks that a further run finds nothing, and reckons"""
    w.drain()
    again = w.drain()
    if isinstance(w, ChangingLake):
        w.note_plans()
    problems, tables = databricks_lake.reckon(w)
    if again["batches"] or again["rows"]:
        problems.append(f"a further run found {again['batches']} batches with {again['rows']} rows")
    print(f"{name}: {len(w.numbers('receipts'))} batches, {len(w.gold_tables())} gold tables, "
          + (f"{tables.lines} lines and {len(tables.silver)} events once in every layer" if not problems else f"{len(problems)} problems"), flush=True)
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
        return test(a, folder, EventKiller(a, random.Random(a.seed), located))


def test(a, folder, killer):
    started, good, number = time.monotonic(), True, 0
    rounds = [(one_file_a_batch, 0.25), (growing_files, 0.2), (huge_batches, 0.1), (any_tables, 0.15), (other_settings, 0.15), (lost_files, 0.15)]
    wanted = lambda: all(killer.counts[p] for p in PHASES) and (a.s3 or all(killer.changes[c] for c in EventKiller.CHANGES))
    try:
        while killer.total < a.kills or not wanted() and number < 30:
            body, share = rounds[number % len(rounds)]
            number += 1
            kills = max(1, min(round(share * a.kills), a.kills - killer.total))
            w = body(killer, os.path.join(folder, str(number)), kills)
            good &= settle(w, f"lake {number}, {body.__name__.replace('_', ' ')}")
    except Failure as e:
        print(f"FAILED: {e}")
        good = False
    print(f"{killer.total} kills: " + ", ".join(f"{name} {killer.counts[p]}" for p, name in PHASES.items()) + f"; {killer.late} came too late; {time.monotonic() - started:.0f} s")
    for words, n in killer.states.most_common():
        print(f"  {n:4} left {words}")
    for words in EventKiller.CHANGES:
        print(f"  {killer.changes[words]:4} finished {words}")
        if not killer.changes[words] and not a.s3:
            print(f"FAILED: no batch was finished {words}")
            good = False
    for p, name in PHASES.items():
        if not killer.counts[p]:
            print(f"FAILED: no kill fell into phase {name}")
            good = False
    has = lambda *parts: any(all(p in words.split(", ") for p in parts) for words in killer.states)
    if not a.s3 and not has("silver", "no gold") and not has("silver", "some gold"):
        print("FAILED: silver never had a batch without gold")
        good = False
    if not a.s3 and not has("no silver", "some gold") and not has("no silver", "all gold"):
        print("FAILED: gold never had a batch without silver")
        good = False
    return harness.conclude(a, folder, not good)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
