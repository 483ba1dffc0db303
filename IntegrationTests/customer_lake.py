"""A lake of customers' CSV files: the workspace that fills it, and every column of its table held against customer_expected, in several readers.

The batches are taken from the plans: which bytes of which version of which files, and when. Every version that was delivered is kept beside the lake.
"""
import json, os
import customer_expected as expected
import engines, harness
from databricks_lake import compare_rows, flat, plain

PIPELINE, TABLE = "wau", "wau.events"
READERS = ("deltalake", "duckdb", "polars", "pyarrow", "chdb")
KINDS = {"text": "string", "integer": "long", "double": "double", "boolean": "boolean", "timestamp": "timestamp"}
MAP = {"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": False}
TYPES = {"_rescued": "map", "source_offset": "long", "ingest_ts": "timestamp", "date": "date"}
LEFT_ALONE = 1_700_000_000                                             # long ago: nobody is writing the file any more


class CustomerLake(harness.Workspace):
    """a folder with a configuration, files of customers and a lake; `kept`: the settings that matter to rows; `customer_of`: by a path, whose file it is"""

    pipeline, main_table = PIPELINE, TABLE

    def __init__(self, binary, folder, kept=None, customer_of=lambda path: None, **keys):
        self.files, self.kept, self.customer_of = os.path.join(folder, "csv"), kept or expected.Kept(), customer_of
        self.versions, self.time = {}, LEFT_ALONE
        os.makedirs(self.files, exist_ok=True)
        super().__init__(binary, folder, "csv/**/*.csv*", **keys)

    def configure(self, files, **keys):
        self.write_configuration({"kind": "customer_csv", "source": "{objects: %s}" % json.dumps(files), "table": TABLE} | keys)

    def put(self, name, data, stored=None):
        """delivers a version of a file; `stored`: its bytes on disk when they are compressed"""
        path = os.path.join(self.files, name)
        self.time += 1
        self.versions[path, self.time * 1_000_000] = data
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "wb") as f:
            f.write(data if stored is None else stored)
        os.utime(path + ".part", (self.time, self.time))
        os.rename(path + ".part", path)

    def rows(self, reader, name):
        return engines.read(reader, self.place(name))


def expectation(workspace):
    """the table by the plans, and what is wrong with these"""
    table, problems, ends, last = expected.Table(workspace.kept), [], {}, 0
    for number in workspace.numbers("plans"):
        plan = workspace.read("plans", number)
        if plan["plannedAt"] < last:
            problems.append(f"batch {number}: planned before its predecessor")
        last, files = plan["plannedAt"], []
        for r in plan.get("objects") or []:
            if r["from"] not in (0, ends.get(r["key"])):
                problems.append(f"batch {number}: {r['key']} from {r['from']}, but the batch before ended at {ends.get(r['key'], 0)}")
            ends[r["key"]] = r["to"]
            data = workspace.versions[r["key"], r["modified"]]
            files.append((r["key"], data, r["from"], r["to"], workspace.customer_of(r["key"])))
        table.add(files, last)
    newest = {path: data for (path, _), data in sorted(workspace.versions.items(), key=lambda v: v[0][1])}
    problems += [f"{path}: {ends.get(path, 0)} of {len(data)} bytes are in the plans" for path, data in newest.items() if ends.get(path, 0) != len(data)]
    return table, problems


def compare_table(workspace, name, columns, keys, wanted, readers):
    """one table against rows that are dictionaries, in every reader: a list of problems"""
    problems, rows = [], [tuple(flat(row.get(c)) for c in columns) for row in wanted]
    for reader in readers:
        try:
            table = workspace.rows(reader, name)
        except Exception as e:                                         # one reader's refusal is a finding; go on with the others
            problems.append(f"{name} in {reader}: {type(e).__name__}: {str(e)[:500]}")
            continue
        got = list(zip(*(plain(table.column(c)) for c in columns)))
        if reader == "chdb":                                           # has no NULL of a map
            got = [tuple(None if v == () else v for v in row) for row in got]
        problems += compare_rows(f"{name} in {reader}", list(columns), keys, got, rows)
    return problems


def reckon(workspace, readers=("deltalake",)):
    """the whole lake, when all is drained: a list of problems, and what was expected"""
    problems = harness.standing(workspace)
    plans, receipts = workspace.numbers("plans"), workspace.numbers("receipts")
    if plans != receipts:
        return [*problems, f"{len(plans)} plans, {len(receipts)} receipts"], None
    table, wrong = expectation(workspace)
    problems += wrong
    if not workspace.has(TABLE):
        return [*problems, *([f"{TABLE} is not there"] if table.rows else [])], table
    log = harness.Log(workspace.table)
    kinds = {c["column"]: KINDS[c["kind"]] for c in table.columns.values()}
    got = {name: field["type"] if isinstance(field["type"], str) else field["type"]["type"] for name, field in log.fields.items()}
    wanted = {name: TYPES.get(name) or kinds.get(name, "string") for name in table.names()}
    if got != wanted or log.partitions != ["date"]:
        return [*problems, f"columns {got} partitioned by {log.partitions}, expected {wanted}"], table
    problems += harness.live_files(log)
    problems += compare_table(workspace, TABLE, list(wanted), ["event_id"], table.rows, readers)
    problems += compare_table(workspace, f"_auditlake.quarantine_{PIPELINE}", expected.QUARANTINE, ["source", "source_offset"], table.quarantine, readers)
    app = workspace.read("plans", 1)["appID"]
    counted = sum(t["rows"] for n in receipts for t in workspace.read("receipts", n)["tables"] if t["name"] == f"main.{TABLE}")
    if counted != len(table.rows):
        problems.append(f"the receipts name {counted} rows, expected {len(table.rows)}")
    return problems, table
