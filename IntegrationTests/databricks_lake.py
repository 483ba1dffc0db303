"""A lake of Databricks events: the workspace that fills it, and every column of every table held against databricks_expected, in several readers.

The batches are taken from the plans: which bytes of which files, and when. That the plans together have every byte of every file once is looked at first.
"""
import json, os, subprocess
from collections import Counter, defaultdict
import databricks_expected as expected
import engines, harness
from databricks_expected import File

PIPELINE, SCHEMA = "databricks", "databricks_audit"
GOLD = f"{SCHEMA}_gold"
READERS = ("deltalake", "duckdb", "polars", "pyarrow", "chdb")
NULLS_AS_EMPTY = {"chdb"}                                              # has no NULL of a struct or map: they are a struct of NULLs and a map without keys
MAP = {"type": "map", "keyType": "string", "valueType": "string"}
TYPES = {"timestamp": "long", "date_time": "timestamp", "date": "date", "ingest_ts": "timestamp", "source_time": "timestamp", "source_offset": "long", "source_partition": "integer",
         "length": "long", "requestParams": MAP, "identity_metadata": MAP, "_rescued": MAP, "response": [("statusCode", "long"), ("errorMessage", "string"), ("result", "string")]}


class Loss:
    """bytes of a plan that went before the batch was finished; `held`: which of bronze and quarantine had the batch by then"""

    def __init__(self, batch, key, start, end, held):
        self.batch, self.key, self.start, self.end, self.held = batch, key, start, end, held

    @property
    def gaps(self):
        """what the receipt has to name"""
        return [] if "bronze" in self.held else [{"path": self.key, "from": self.start, "to": self.end}]

    def take_from(self, tables, ingest_ts):
        """takes out the rows that nobody can make any more; services and keys stay known"""
        def stays(row):
            return row["source"] != self.key or row["ingest_ts"] != ingest_ts

        if "bronze" in self.held:
            return
        tables.bronze = [r for r in tables.bronze if stays(r)]
        tables.silver = [r for r in tables.silver if stays(r)]
        tables.gold = {name: [r for r in rows if stays(r)] for name, rows in tables.gold.items()}
        if "quarantine" not in self.held:
            tables.quarantine = [r for r in tables.quarantine if stays(r)]


class EventLake(harness.Workspace):
    """a folder with a configuration, files of events and a lake

    What a test did to it on the way: `actions`, the rules' actions of batches by number, where they were not those of all; `losses`; `lost`, where it has put files
    that auditlake cannot see any more, by their path; `is_apart`, that gold came later, which no receipt counts.
    """

    pipeline, main_table = PIPELINE, f"{SCHEMA}.silver"

    def __init__(self, binary, folder, **keys):
        self.events = os.path.join(folder, "events")
        self.actions, self.losses, self.lost, self.is_apart = {}, [], {}, False
        os.makedirs(self.events, exist_ok=True)
        super().__init__(binary, folder, "events/**/*.json*", **keys)

    def configure(self, files, **keys):
        self.write_configuration({"kind": "databricks", "source": "{objects: %s}" % json.dumps(files), "schema": SCHEMA} | keys)

    def gold_tables(self):
        """the names of the gold tables that are there"""
        folder = self.place(GOLD)
        return sorted(n for n in os.listdir(folder) if os.path.isdir(os.path.join(folder, n, "_delta_log"))) if os.path.isdir(folder) else []

    def name_of(self, path):
        """what column source calls a file"""
        return os.path.abspath(path)

    def path_of(self, name):
        """where a test finds the file of that name"""
        return self.lost.get(name, name)

    def rows(self, reader, name):
        """a table as a reader has it"""
        return engines.read(reader, self.place(name))

    def start_following(self, *arguments):
        """a run that follows, without its phases"""
        return subprocess.Popen([self.binary, "run", "--follow", "--log-level", "error", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    @property
    def tables(self):
        return [f"{SCHEMA}.bronze", f"{SCHEMA}.silver", f"_auditlake.quarantine_{PIPELINE}", *(f"{GOLD}.{n}" for n in self.gold_tables())]


# ---------------------------------------------------------------- what the plans say, held against the files

def batches(workspace):
    """files and time of every batch, and what is wrong with the plans: a file is read whole, in pieces that follow each other"""
    problems, read, found, ends, last = [], [], [], {}, 0
    for n in workspace.numbers("plans"):
        plan = workspace.read("plans", n)
        if plan["plannedAt"] < last:
            problems.append(f"batch {n}: planned before its predecessor")
        last = plan["plannedAt"]
        files = []
        for r in plan.get("objects") or []:
            if r["from"] != ends.get(r["key"], 0):
                problems.append(f"batch {n}: {r['key']} from {r['from']}, but the batch before ended at {ends.get(r['key'], 0)}")
            ends[r["key"]] = r["to"]
            files.append(File(workspace.path_of(r["key"]), r["key"], r["modified"], r["from"], r["to"]))
        found.append((files, last))
    whole = {workspace.name_of(f.path): len(f.data()) for f in expected.arrival(workspace.events)}
    problems += [f"{name}: {ends.get(name, 0)} of {size} bytes are in the plans" for name, size in whole.items() if ends.get(name, 0) != size]
    problems += [f"{name} is in the plans but not in the folder" for name in ends.keys() - whole.keys() - workspace.lost.keys()]
    return found, problems


def expectation(workspace, strip=expected.STRIP, actions=()):
    """what the tables must hold by the plans, and what is wrong with the plans"""
    found, problems = batches(workspace)
    tables = expected.Tables(strip, actions)
    for number, (files, time) in enumerate(found, 1):
        tables.actions = dict(workspace.actions.get(number, actions))
        tables.add(files, time)
        losses = [loss for loss in workspace.losses if loss.batch == number]
        for loss in losses:
            loss.take_from(tables, time)
        gaps = [gap for loss in losses for gap in loss.gaps]
        if workspace.read("receipts", number)["gaps"] != gaps:
            problems.append(f"batch {number}: the receipt names the gaps {workspace.read('receipts', number)['gaps']}, expected {gaps}")
    return tables, problems


# ---------------------------------------------------------------- one table in one reader

def plain(column):
    """a column as values that compare and hash: times in microseconds, dates in days, maps and structs as sorted pairs"""
    kind = str(column.type)
    if kind.startswith("timestamp"):
        return column.cast("int64").to_pylist()
    if kind.startswith("date32"):
        return column.cast("int32").to_pylist()
    values = column.to_pylist()
    if kind.startswith("list<"):
        return [None if v is None else tuple(sorted((e["key"], e["value"]) for e in v)) for v in values]
    if kind.startswith("struct<"):
        return [None if v is None else tuple(sorted(v.items())) for v in values]
    return values


def flat(value):
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


def shown(value):
    return repr(value)[:200]


def compare_rows(name, columns, keys, got, wanted, fold=False, show=12):
    """rows as tuples of `columns`, in no order: a list of problems. `fold`: the reader has no NULL of structs and maps"""
    at = [columns.index(k) for k in keys]
    if fold:
        def folded(row):
            return tuple(None if isinstance(v, tuple) and all(x is None for _, x in v) else v for v in row)
        got, wanted = [folded(r) for r in got], [folded(r) for r in wanted]
    extra, missing = Counter(got), Counter(wanted)
    extra, missing = extra - missing, missing - extra
    problems, by_key = [], defaultdict(list)
    for row in missing.elements():
        by_key[tuple(row[i] for i in at)].append(row)
    wrong, more = Counter(), []
    for row in extra.elements():
        others = by_key.get(tuple(row[i] for i in at))
        if not others:
            more.append(row)
            continue
        other = others.pop()
        for c, mine, theirs in zip(columns, row, other):
            if mine != theirs:
                wrong[c] += 1
                if wrong[c] <= show:
                    problems.append(f"{name}: {c} of {tuple(row[i] for i in at)}: {shown(mine)}, expected {shown(theirs)}")
    less = [row for rows in by_key.values() for row in rows]
    problems += [f"{name}: row too many: {shown(row)}" for row in more[:show]] + [f"{name}: missing row: {shown(row)}" for row in less[:show]]
    if more or less or wrong:
        problems.append(f"{name}: {len(more)} rows too many, {len(less)} missing, other values: {dict(wrong)}; {len(got)} rows, expected {len(wanted)}")
    return problems


def schema_problems(name, log, columns, struct):
    """the columns of the Delta schema, their order and types; `struct`: the fields of requestParams with the names they had, for gold"""
    if list(log.fields) != list(columns):
        return [f"{name}: columns {list(log.fields)}, expected {list(columns)}"]
    problems = []
    for column, field in log.fields.items():
        wanted, t = TYPES.get(column, "string"), field["type"]
        if struct is not None and column == "requestParams":
            wanted, t = struct, [(f["name"], f["metadata"].get("auditlake.name")) for f in t["fields"]] if isinstance(t, dict) and t["type"] == "struct" else t
            if [f["type"] for f in field["type"]["fields"]] != ["string"] * len(field["type"]["fields"]):
                problems.append(f"{name}: a field of requestParams is no string")
        elif isinstance(wanted, list):
            t = [(f["name"], f["type"]) for f in t["fields"]] if isinstance(t, dict) and t["type"] == "struct" else t
        elif isinstance(wanted, dict):
            t = {k: t.get(k) for k in wanted} if isinstance(t, dict) else t
        if t != wanted:
            problems.append(f"{name}: {column} is {t}, expected {wanted}")
    if log.partitions != ["date"]:
        problems.append(f"{name}: partitioned by {log.partitions}, expected date")
    return problems


def compare_table(workspace, name, columns, keys, wanted, readers, struct=None):
    """one table against rows that are dictionaries, in every reader: a list of problems"""
    folder = workspace.place(name)
    if not workspace.has(name):
        return [f"{name} is not there, expected {len(wanted)} rows"] if wanted else []
    log = harness.Log(folder)
    shown_columns = [*columns[:columns.index("raw")], "detail", *columns[columns.index("raw"):]] if name.startswith("_auditlake.quarantine") else columns
    problems = schema_problems(name, log, shown_columns, struct) + list(harness.live_files(log))
    if problems:
        return problems
    rows = [tuple(flat(row[c]) for c in columns) for row in wanted]
    for reader in readers:
        try:
            table = workspace.rows(reader, name)
        except Exception as e:                                         # one reader's refusal is a finding; go on with the others
            problems.append(f"{name} in {reader}: {type(e).__name__}: {str(e)[:500]}")
            continue
        got = list(zip(*(plain(table.column(c)) for c in columns)))
        problems += compare_rows(f"{name} in {reader}", list(columns), keys, got, rows, reader in NULLS_AS_EMPTY)
    return problems


# ---------------------------------------------------------------- the whole lake

def compare(workspace, tables, readers=READERS):
    """every table of the lake against what the events must become: a list of problems"""
    problems = compare_table(workspace, f"{SCHEMA}.bronze", expected.BRONZE, ("source", "source_offset"), tables.bronze, readers)
    problems += compare_table(workspace, f"{SCHEMA}.silver", expected.SILVER, ("source", "source_offset", "event_id"), tables.silver, readers)
    problems += compare_table(workspace, f"_auditlake.quarantine_{PIPELINE}", expected.QUARANTINE, ("source", "source_offset", "raw"), tables.quarantine, readers)
    wanted = {service.table: name for name, service in tables.services.items()}
    there = set(workspace.gold_tables())
    problems += [f"{GOLD}.{t} is there, but no event has such a service" for t in sorted(there - wanted.keys())]
    for table, name in wanted.items():
        service = tables.services[name]
        struct = [("placeholder", None)] * service.has_placeholder + [(column, key) for key, column in service.columns.items() if key not in service.absent]
        problems += compare_table(workspace, f"{GOLD}.{table}", expected.SILVER, ("source", "source_offset", "event_id"), tables.gold_rows(name), readers, struct)
    return problems + receipt_problems(workspace, tables) + schema_rows_problems(workspace, tables)


def receipt_problems(workspace, tables):
    """the rows that the receipts name, and the tables' transactions"""
    counted, last, app = Counter(), {}, None
    for n in workspace.numbers("receipts"):
        app = app or workspace.read("plans", n)["appID"]
        for t in workspace.read("receipts", n)["tables"]:
            counted[t["name"]] += t["rows"]
            last[t["name"]] = t["lastBatch"]
    wanted = Counter({f"main.{SCHEMA}.bronze": len(tables.bronze), f"main.{SCHEMA}.silver": len(tables.silver), f"main._auditlake.quarantine_{PIPELINE}": len(tables.quarantine),
                      **{f"main.{GOLD}.{tables.services[name].table}": len(rows) for name, rows in tables.gold.items()}})
    def is_told_otherwise(name):
        # Of a table that a killed redo without lost bytes has committed, the receipt names the planned rows.
        had_loss = any(loss.gaps for loss in workspace.losses) and counted[name] > wanted[name]
        return had_loss or workspace.is_apart and name.startswith(f"main.{GOLD}.")

    problems = [f"{name}: the receipts name {counted[name]} rows, expected {wanted[name]}" for name in sorted({*counted, *wanted})
                if counted[name] != wanted[name] and not is_told_otherwise(name)]
    for name in workspace.tables:
        if workspace.has(name) and last.get(f"main.{name}"):
            transactions = harness.Log(workspace.place(name)).transactions
            if transactions != {app: last[f"main.{name}"]}:
                problems.append(f"{name}: transactions {transactions}, the last receipt says {last[f'main.{name}']} of {app}")
    return problems


def schema_rows_problems(workspace, tables):
    """the system table of services and keys"""
    wanted = {(name, key, column) for name, service in tables.services.items() for key, column in service.columns.items()}
    if not workspace.has("_auditlake.service_schemas"):
        return ["_auditlake.service_schemas is not there"] if wanted else []
    rows = engines.read("deltalake", workspace.place("_auditlake.service_schemas")).to_pylist()
    got = Counter((r["service"], r["key"], r["column"]) for r in rows if r["key"] is not None)
    problems = [f"_auditlake.service_schemas: {k} stands {n} times" for k, n in got.items() if n > 1]
    problems += [f"_auditlake.service_schemas: missing {k}" for k in sorted(wanted - got.keys())] + [f"_auditlake.service_schemas: too many: {k}" for k in sorted(got.keys() - wanted)]
    return problems + [f"_auditlake.service_schemas: {r} has no first_seen" for r in rows if r["first_seen"] is None]


def reckon_apart(workspace):
    """the same for a lake whose gold came later: no receipt counts its rows"""
    workspace.is_apart = True
    return reckon(workspace)


def reckon(workspace, readers=("deltalake",), strip=expected.STRIP, actions=()):
    """the whole lake, when all is drained: a list of problems, and what was expected"""
    problems = harness.standing(workspace)
    plans, receipts = workspace.numbers("plans"), workspace.numbers("receipts")
    if plans != receipts:
        return [*problems, f"{len(plans)} plans, {len(receipts)} receipts"], None
    tables, wrong = expectation(workspace, strip, actions)
    problems += wrong
    for name, service in tables.services.items() if workspace.losses else ():
        if not tables.gold_rows(name) and not workspace.has(f"{GOLD}.{service.table}"):
            continue                                                   # all lines of the service were lost before its table was made
        # A key that only lost lines had is known, but a table grows with a commit of rows.
        has = [f["name"] for f in harness.Log(workspace.place(f"{GOLD}.{service.table}")).fields["requestParams"]["type"]["fields"]]
        used = {key for row in tables.gold[name] for key in row["requestParams"] or {}}
        service.absent = {key for key, column in service.columns.items() if column not in has and key not in used}
    return problems + compare(workspace, tables, readers), tables
