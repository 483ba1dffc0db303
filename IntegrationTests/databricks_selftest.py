#!/usr/bin/env python3
"""databricks_selftest.py: the checkers of the Databricks pipeline find what is wrong, and nothing else; needs no auditlake.

databricks_expected against tiny cases whose outcome is written down by hand, and its JSON reader against the json module; databricks_lake against a lake that is
written here from the expectation of the sample, in two batches, so that files of gold tables lack fields that came later: right, then altered in one place after another.
"""
import copy, hashlib, json, os, random, shutil, sys, tempfile, warnings
from collections import Counter
import pyarrow as pa, pyarrow.parquet as pq
import databricks_expected as expected
import databricks_lake
from databricks_expected import DAY, SILVER, File, Malformed, claim, column_name, microseconds, parse, read, table_name
from databricks_lake import GOLD, PIPELINE, SCHEMA, EventLake
from engines import PRIMITIVES

SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Examples", "databricks", "audit-logs")
TEXT = pa.string()


def check_expected():
    """tiny cases whose outcome is written down by hand: a list of what is wrong"""
    wrong = []

    def same(name, got, want):
        if got != want:
            wrong.append(f"{name}: got {got!r}, expected {want!r}")

    def tables(*batches, **settings):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for n, data in enumerate(batches):
                path = os.path.join(folder, f"{n}.json")
                with open(path, "wb") as f:
                    f.write(data if isinstance(data, bytes) else data.encode())
                files.append([File(path, name=f"f{n}", time=7)])
            return read(files, times=[5 * DAY + 1] * len(files), **settings)

    def silver(text, **settings):
        return tables(text, **settings).silver[0]

    # One whole row, column by column.
    line = '{"version":"2.0","timestamp":86400123,"workspaceId":42,"userIdentity":{"email":"a@b","subjectName":null,"x":1},"serviceName":"s-1","actionName":"a",' \
           '"requestParams":{"n":1.50,"t":true,"e":"","z":null,"o":{ "k" : [ 1 , "a b" ] }},"response":{"statusCode":200,"result":""},"extra":{"a": 1}}'
    t = tables(line + "\r\n\n" + line)
    same("bronze", t.bronze, [{"raw": line, "raw_encoding": None, "source": "f0", "source_offset": o, "source_partition": None, "source_key": None, "source_time": 7,
                               "ingest_ts": 5 * DAY + 1, "date": 5} for o in (0, len(line) + 3)])
    digest = hashlib.sha256(line.encode()).hexdigest()[:32]
    same("silver", t.silver[0], {
        "event_id": f"{digest}-0", "version": "2.0", "timestamp": 86400123, "date_time": 86400123000, "date": 1, "accountId": None, "workspaceId": "42", "sourceIPAddress": None,
        "userAgent": None, "sessionId": None, "email": "a@b", "subjectName": None, "serviceName": "s-1", "actionName": "a", "requestId": None,
        "requestParams": {"n": "1.50", "t": "true", "o": '{"k":[1,"a b"]}'}, "response": {"statusCode": 200, "errorMessage": None, "result": ""}, "auditLevel": None,
        "identity_metadata": None, "_rescued": {"userIdentity.x": "1", "extra": '{"a":1}'}, "ingest_ts": 5 * DAY + 1, "source": "f0", "source_offset": 0})
    same("silver's columns", set(t.silver[0]), set(SILVER))
    same("equal records", [r["event_id"] for r in t.silver], [f"{digest}-0", f"{digest}-1"])
    same("gold", (t.services["s-1"].table, t.gold_rows("s-1")[0]["requestParams"]), ("s_1", {"n": "1.50", "t": "true", "o": '{"k":[1,"a b"]}'}))
    same("no quarantine", (t.quarantine, t.failed), ([], Counter()))

    # Faults.
    t = tables('{"serviceName":"x"\n[1]\n{"a":1}\n{"timestamp":1,"serviceName":"s","actionName":"a","workspaceId":"-1"}\n' + "[" * 4100 + "]" * 4100)
    same("reasons", t.reasons(), Counter(malformed_json=2, no_event=2))
    same("all in bronze", (len(t.bronze), len(t.silver)), (5, 1))
    same("where", [(q["source_offset"], q["length"]) for q in t.quarantine], [(0, 18), (19, 3), (23, 7), (101, 8200)])
    same("failed rules", t.failed, Counter(valid_workspace_id=1))
    drop = {"valid_workspace_id": "drop"}
    t = tables('{"timestamp":1,"serviceName":"s","actionName":"a","workspaceId":"-1"}', actions=drop)
    same("a dropped event", (t.reasons(), t.silver, t.services), (Counter(rule_valid_workspace_id=1), [], {}))
    t = tables(b'{"timestamp":1,"serviceName":"l\xf6we","actionName":"a"}')
    same("Latin-1", (t.bronze[0]["raw_encoding"], t.silver[0]["serviceName"], t.silver[0]["event_id"][:32]),
         ("latin1", "löwe", hashlib.sha256(b'{"timestamp":1,"serviceName":"l\xf6we","actionName":"a"}').hexdigest()[:32]))
    same("no time", {k: silver('{"serviceName":"s"}')[k] for k in ("timestamp", "date_time", "date")}, {"timestamp": None, "date_time": None, "date": 5})

    # Other forms.
    r = silver('{"event_time":"1970-01-02T01:00:00.123+01:00","event_date":"1970-01-02","service_name":"s","action_name":"a","user_identity":{"email":"e","subject_name":"n"},'
               '"request_params":{"k":"v"},"response":{"status_code":"404","error_message":"m"},"event_id":"id","identity_metadata":{"run_by":"x","acting_resource":null},"workspace_id":7}')
    same("the system table's form", [r[c] for c in ("timestamp", "date_time", "date", "serviceName", "actionName", "email", "subjectName", "requestParams", "response", "event_id",
                                                      "identity_metadata", "workspaceId", "_rescued")],
         [86400123, 86400123000, 1, "s", "a", "e", "n", {"k": "v"}, {"statusCode": 404, "errorMessage": "m", "result": None}, "id", {"run_by": "x", "acting_resource": None}, "7", None])
    one = '{"time":"1970-01-01T00:00:00.2505Z","operationVersion":"1","category":"c","identity":"{\\"email\\":\\"e\\"}","properties":{"serviceName":"s","actionName":"a","logId":"l",' \
          '"requestParams":"{\\"k\\":\\"v\\",\\"e\\":\\"\\"}","response":"{\\"statusCode\\":200}"}}'
    t = tables('{"records":[%s, %s,3]}' % (one, one))
    same("records", (len(t.bronze), len(t.silver), t.reasons(), t.records), (1, 2, Counter(no_event=1), 3))
    r = t.silver[1]
    same("Azure's form", [r[c] for c in ("timestamp", "date_time", "version", "email", "serviceName", "requestParams", "response", "_rescued", "event_id")],
         [250, 250500, "1", "e", "s", {"k": "v"}, {"statusCode": 200, "errorMessage": None, "result": None}, {"category": "c", "properties.logId": "l"},
          hashlib.sha256(one.encode()).hexdigest()[:32] + "-1"])

    # Values that have no column.
    r = silver('{"timestamp":"12","timestamp":13,"serviceName":"s","requestParams":[1],"response":"oops","userIdentity":{"email":"e","email":"f"},"requestParams":{"a":1}}')
    same("rescued", (r["timestamp"], r["requestParams"], r["response"], r["email"], r["_rescued"]),
         (12, None, None, "e", {"timestamp": "13", "requestParams": '{"a":1}', "requestParams#2": "[1]", "response": "oops", "userIdentity.email": "f"}))
    r = silver('{"timestamp":"soon","serviceName":"s","requestParams":{"a":1,"a":2,"\\ud83d\\ude00":"\\ud83d","{}":{},"[]":[ ]}}')
    same("odd values", (r["timestamp"], r["requestParams"], r["_rescued"]), (None, {"a": "1", "😀": "\ufffd", "{}": "{}", "[]": "[]"}, {"timestamp": "soon", "requestParams.a": "2"}))
    r = silver('{"timestamp":1,"serviceName":"s","requestParams":{"n":null,"e":"","o":{},"a":[ ],"z":0,"f":false}}', strip=("null", "", "{}", "[]"))
    same("strip all", r["requestParams"], {"z": "0", "f": "false"})
    r = silver('{"timestamp":1,"serviceName":"s","requestParams":{"n":null,"e":""}}', strip=())
    same("strip nothing", r["requestParams"], {"n": None, "e": ""})
    same("times", [microseconds(x) for x in ("1970-01-01", "1970-01-01 00:00", "1970-01-01T00:00:01.1234567Z", "1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00-0130", "2026-02-30", "soon", None)],
         [0, 0, 1123456, -500000, 5400000000, None, None, None])

    # Names.
    same("safe names", [column_name(n) for n in ("script-SHA256", "a.b", 'say "hi" \'now\'', "100%", "a/b\\c", "", "größe", "gro\u0308ße", "\n", "=x")],
         ["script_SHA256", "a%2Eb", "say%20%22hi%22%20%27now%27", "100%25", "a%2Fb%5Cc", "_", "größe", "größe", "%0A", "%3Dx"])
    same("tables", [table_name(n) for n in ("Remote History-Service/v2.1", "β", "", "_x20", "5", "_delta_log")],
         ["Remote_x20History_Service_x2Fv2_x2E1", "_xCE_xB2", "_", "_x20", "5", "_x5Fdelta_log"])
    same("a long table", table_name("s" * 101), "s" * 91 + "_" + hashlib.sha256(b"s" * 101).hexdigest()[:8])
    taken = set()
    same("clashes", [claim(column_name(n), taken) for n in ("Id", "id", "ID", "id_2", "a-b", "a_b", "Ä", "ä")], ["Id", "id_2", "ID_3", "id_2_2", "a_b", "a_b_2", "Ä", "ä_2"])
    same("a long name", (len(column_name("ü" * 150).encode()), column_name("x" * 200)), (199, "x" * 200))
    event = '{"timestamp":1,"serviceName":"%s","requestParams":{%s}}\n'
    t = tables(event % ("s", "") + event % ("S", '"k":1'), event % ("s", '"placeholder":"p","k":"1"'))
    same("a placeholder", ([x.table for x in t.services.values()], t.services["s"].fields, t.gold_rows("s")),
         (["s", "S_2"], ["placeholder", "placeholder_2", "k"],
          [t.silver[0] | {"requestParams": {"placeholder": None, "placeholder_2": None, "k": None}}, t.silver[2] | {"requestParams": {"placeholder": None, "placeholder_2": "p", "k": "1"}}]))
    t = tables(event % ("s", "") + event % ("s", '"placeholder":"p"'))
    same("no placeholder where keys come in the same batch", t.services["s"].fields, ["placeholder"])

    # The JSON reader takes and refuses what the json module does.
    def strict(text):
        def refuse(word):
            raise ValueError(word)
        return json.loads(text, parse_constant=refuse, object_pairs_hook=lambda pairs: pairs)

    def plain(value):
        if value.kind in ("object", "array"):
            return [(k, plain(v)) for k, v in value.members] if value.kind == "object" else [plain(v) for v in value.members]
        return {"null": lambda: None, "boolean": lambda: value.text == "true", "string": lambda: value.text, "number": lambda: json.loads(value.text)}[value.kind]()

    rng, seeds, tried = random.Random(1), [line, one, '{"a":[1,-0,2.5e-3,true,null,"\\u00e9\\n"],"b":{}}', " [ ] ", '"x"', "1"], Counter()
    for _ in range(6000):
        text = list(rng.choice(seeds))
        for _ in range(rng.randint(0, 2)):
            at = rng.randrange(len(text) + 1)
            text[at:at + rng.randint(0, 2)] = rng.choice(['"', "\\", "{", "}", "[", "]", ",", ":", " ", "0", "1", "-", ".", "e", "\t", "\x01", "null", "NaN", "é", ""])
        text = "".join(text)
        try:
            want = strict(text)
        except (ValueError, RecursionError):
            want = Malformed
        try:
            got = parse(text)
        except Malformed:
            got = Malformed
        tried[want is Malformed] += 1
        if (got is Malformed) != (want is Malformed) or got is not Malformed and plain(got) != want:
            wrong.append(f"JSON {text!r}: got {got!r}, the json module says {want!r}")
        elif got is not Malformed and got.kind in ("object", "array") and (strict(got.text) != want or len(got.text) > len(text)):
            wrong.append(f"JSON {text!r}: compact {got.text!r}")
    if min(tried[True], tried[False]) < 1000:
        wrong.append(f"too few texts of one kind: {tried}")
    return wrong



# ---------------------------------------------------------------- a lake as auditlake writes it

def delta_type(name, struct):
    field = lambda n, t, **metadata: {"name": n, "type": t, "nullable": True, "metadata": metadata}
    if name == "requestParams" and struct is not None:
        return {"type": "struct", "fields": [field(c, "string", **({"auditlake.name": k} if k is not None else {})) for c, k in struct]}
    t = databricks_lake.TYPES.get(name, "string")
    return {"type": "struct", "fields": [field(*f) for f in t]} if isinstance(t, list) else t | {"valueContainsNull": True} if isinstance(t, dict) else t


def arrow_type(name, struct):
    if name == "requestParams" and struct is not None:
        return pa.struct([(c, TEXT) for c, _ in struct])
    t = databricks_lake.TYPES.get(name, "string")
    return pa.struct([(n, PRIMITIVES[x]) for n, x in t]) if isinstance(t, list) else pa.map_(TEXT, TEXT) if isinstance(t, dict) else PRIMITIVES[t]


class Writer:
    """writes what is expected, batch by batch"""

    def __init__(self, lake):
        self.lake, self.batch, self.versions, self.last = lake, 0, {}, {}

    def table(self, name, columns, rows, struct=None, stored=None):
        """a commit; `struct`: the fields of requestParams from now on, `stored`: those in the files"""
        folder, version = self.lake.place(name), self.versions.get(name, -1) + 1
        os.makedirs(os.path.join(folder, "_delta_log"), exist_ok=True)
        actions = [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}] * (version == 0)
        fields = [{"name": c, "type": delta_type(c, struct), "nullable": True, "metadata": {}} for c in columns]
        actions.append({"metaData": {"id": name, "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps({"type": "struct", "fields": fields}),
                                     "partitionColumns": ["date"], "configuration": {}, "createdTime": 0}})
        for day in sorted({r["date"] for r in rows}):
            part = [r for r in rows if r["date"] == day]
            text = str(pa.scalar(day, pa.int32()).cast(pa.date32()))
            arrays = {c: pa.array([list(r[c].items()) if isinstance(r[c], dict) and not pa.types.is_struct(t) else r[c] for r in part], t)
                      for c in columns if c != "date" for t in [arrow_type(c, struct if stored is None else stored)]}
            path = f"date={text}/part-{self.batch}-{len(actions)}.parquet"
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            pq.write_table(pa.table(arrays), os.path.join(folder, path), compression="zstd")
            actions.append({"add": {"path": path, "partitionValues": {"date": text}, "size": os.path.getsize(os.path.join(folder, path)), "modificationTime": 0, "dataChange": True,
                                    "stats": json.dumps({"numRecords": len(part)})}})
        actions.append({"txn": {"appId": "app", "version": self.batch, "lastUpdated": 0}})
        with open(os.path.join(folder, "_delta_log", f"{version:020}.json"), "w") as f:
            f.writelines(json.dumps(a) + "\n" for a in actions)
        self.versions[name], self.last[name] = version, self.batch
        return len(rows)

    def add(self, files, tables, before, change):
        """the batch that made `tables` out of `before`"""
        self.batch += 1
        new = lambda kind: getattr(tables, kind)[len(getattr(before, kind)):]
        rows = {f"{SCHEMA}.bronze": (expected.BRONZE, new("bronze")), f"{SCHEMA}.silver": (SILVER, new("silver")),
                f"_auditlake.quarantine_{PIPELINE}": (("source", "source_offset", "length", "reason", "detail", "raw", "raw_encoding", "ingest_ts", "date"),
                                                      [r | {"detail": "why"} for r in new("quarantine")])}
        for name, service in tables.services.items():
            struct = [("placeholder", None)] * service.has_placeholder + [(c, k) for k, c in service.columns.items()]
            rows[f"{GOLD}.{service.table}"] = SILVER, tables.gold_rows(name)[len(before.gold.get(name, [])):], struct
        counts = {n: self.table(n, *r) for n, r in change(copy.deepcopy(rows)).items() if r[1]}
        time = self.batch * DAY
        objects = [{"key": f.name, "from": f.start, "to": len(f.data()) if f.end is None else f.end, "modified": f.time} for f in files]
        for kind, content in ("plans", {"batch": self.batch, "appID": "app", "plannedAt": time, "objects": objects}), \
                ("receipts", {"batch": self.batch, "gaps": [], "tables": [{"name": f"main.{n}", "rows": counts.get(n, 0), "lastBatch": b} for n, b in self.last.items()]}):
            os.makedirs(os.path.join(self.lake.shard, kind), exist_ok=True)
            with open(os.path.join(self.lake.shard, kind, f"{self.batch:020}.json"), "w") as f:
                json.dump(content, f)

    def schemas(self, tables):
        rows = [{"service": n, "key": k, "column": c, "first_seen": DAY} for n, s in tables.services.items() for k, c in s.columns.items()]
        folder = self.lake.place("_auditlake.service_schemas")
        from deltalake import write_deltalake
        write_deltalake(folder, pa.Table.from_pylist(rows))


def write_lake(folder, change=lambda batch, rows: rows, files=lambda batch, files: files):
    """the sample as two batches; the first file is cut between them"""
    lake = EventLake("none", folder)
    if not os.listdir(lake.events):
        shutil.copytree(SAMPLE, lake.events, dirs_exist_ok=True)
        for n, path in enumerate(sorted(f.path for f in expected.arrival(lake.events))):
            os.utime(path, (1_000 + n, 1_000 + n))
    shutil.rmtree(lake.lake, ignore_errors=True)
    everything = expected.arrival(lake.events)
    first = next(f for f in everything if f.path.endswith(".json"))
    cut = first.data().index(b"\n", len(first.data()) // 2) + 1
    index = everything.index(first)
    parts = [everything[:index] + [File(first.path, end=cut)], [File(first.path, start=cut)] + everything[index + 1:]]
    writer, before = Writer(lake), expected.Tables()
    for batch, part in enumerate(parts, 1):
        tables = read(parts[:batch], [(n + 1) * DAY for n in range(batch)])
        writer.add(files(batch, part), tables, before, lambda rows: change(batch, rows))
        before = tables
    writer.schemas(tables)
    return lake, tables


def check_compare(folder):
    """a right lake passes, and an altered one does not: a list of what is wrong"""
    lake, tables = write_lake(folder)
    problems, _ = databricks_lake.reckon(lake, databricks_lake.READERS)
    wrong = [f"a right lake: {p}" for p in problems]
    if min(len(tables.silver), len(tables.quarantine)) < 1 or len(tables.services) < 6 or tables.checked["valid_workspace_id"] != len(tables.silver):
        wrong.append("the sample has too little")
    gold = f"{GOLD}.clusters"
    cases = {}

    def case(name, word, table, change, batch=2):
        def altered(b, rows):
            if b == batch:
                columns, data, *rest = rows[table]
                changed = change(data)
                rows[table] = columns, data if changed is None else changed, *rest
            return rows
        cases[name] = word, {"change": altered}

    def put(column, value, at=3):
        def change(rows):
            old = rows[at][column]
            rows[at][column] = value(old) if callable(value) else value
            if rows[at][column] == old:
                raise ValueError(f"{column} is {old!r} already")
        return change

    def other(v):
        return None if v is None else v + 1 if isinstance(v, int) else v | {"x": "y"} if isinstance(v, dict) else v + "x"

    new = {"response": {"statusCode": 1, "errorMessage": None, "result": None}, "source_partition": 0, "_rescued": {"a": None}, "identity_metadata": {"a": "b"}}
    for layer, table, columns, at in (("silver", f"{SCHEMA}.silver", SILVER, 3), ("gold", gold, ("event_id", "email", "response", "date", "source"), 1),
                                      ("bronze", f"{SCHEMA}.bronze", expected.BRONZE, 3), ("the quarantine", f"_auditlake.quarantine_{PIPELINE}", expected.QUARANTINE, 0)):
        keys = ("source", "source_offset", "event_id") + ("raw",) * (layer == "the quarantine")
        for column in columns:
            change = put(column, lambda v, column=column: new.get(column, "x") if v is None or column == "response" else other(v), at)
            case(f"{layer}'s {column}", "row too many" if column in keys else f"{column} of", table, change)
    case("a parameter altered", "requestParams of", gold, put("requestParams", lambda p: p | {"num_workers": "5"}, 1))
    case("a parameter lost", "requestParams of", f"{SCHEMA}.silver", put("requestParams", lambda p: {k: v for k, v in p.items() if k != next(iter(p))}))
    for table in f"{SCHEMA}.bronze", f"{SCHEMA}.silver", gold:
        case(f"a row of {table} lost", "missing row", table, lambda rows: rows[1:])
        case(f"a row of {table} twice", "row too many", table, lambda rows: rows + rows[:1])
        case(f"a batch of {table} lost", "missing row" if table != gold else "expected", table, lambda rows: [])
    case("events in the wrong gold table", "row too many", f"{GOLD}.jobs", lambda rows: rows + [rows[0] | {"serviceName": "clusters"}])
    cases["a gold table too many"] = "no event has such a service", {"change": lambda b, rows: rows | ({f"{GOLD}.other": rows[gold]} if b == 2 else {})}
    cases["a gold table missing"] = "is not there", {"change": lambda b, rows: {n: r for n, r in rows.items() if n != f"{GOLD}.webTerminal"}}
    cases["a column missing"] = "columns", {"change": lambda b, rows: rows | {f"{SCHEMA}.silver": (SILVER[1:], rows[f"{SCHEMA}.silver"][1])}}
    cases["columns in another order"] = "columns", {"change": lambda b, rows: rows | {f"{SCHEMA}.silver": ((SILVER[1], SILVER[0], *SILVER[2:]), rows[f"{SCHEMA}.silver"][1])}}
    cases["a field without its name"] = "requestParams is", {"change": lambda b, rows: rows | ({gold: (*rows[gold][:2], [(c, None) for c, _ in rows[gold][2]])} if b == 2 else {})}
    cases["fields in another order"] = "requestParams is", {"change": lambda b, rows: rows | ({gold: (*rows[gold][:2], rows[gold][2][::-1])} if b == 2 else {})}
    cases["a file not in the plans"] = "bytes are in the plans", {"files": lambda b, files: files if b == 1 else files[:-1]}
    cases["bytes twice in the plans"] = "but the batch before ended at", {"files": lambda b, files: files if b == 1 else [File(files[0].path)] + files[1:]}
    for name, (word, options) in cases.items():
        lake, _ = write_lake(folder, **options)
        problems, _ = databricks_lake.reckon(lake)
        if not any(word in p for p in problems):
            wrong.append(f"{name}: not found, only {problems[:2]}")
    return wrong, len(cases)


def main():
    wrong = check_expected()
    with tempfile.TemporaryDirectory() as folder:
        more, count = check_compare(folder)
    for w in wrong + more:
        print(f"FAILED: {w}")
    if not wrong + more:
        print(f"ok: the expectation holds in all cases, and {count} wrong lakes were found")
    return 1 if wrong + more else 0


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
