#!/usr/bin/env python3
"""compare.py TABLE_DIR LOGFILES... [--role primary] [--node pg1] [--engine deltalake|polars|duckdb|chdb] [--quarantine DIR]

Holds a PostgreSQL audit table against what Examples/expected.py reads in the same csvlog files: the schema, then every row and every
column, joined by (session_id, session_line_num, event_time). Needs the packages of IntegrationTests/requirements.txt.

* event_time ... error_code, src and raw must be equal. extra must have every key that is a plain copy, with an equal value, no key twice, no empty
  value, and beside them only auditlake's own: fingerprint, parsed_*, effective_role, outcome, amends, txn_outcome, statement_ref, truncated.
* A row of a statement that a later record shows as failed may say so: result and error_code are then those of a failure of the same session, transaction
  and query id. Which rows may, IntegrationTests hold against a second reading of the rules.
* Secrets are blanked in the table (unless --redact off): in a record that speaks of passwords, roles or URLs, `***` may stand for up to 200 characters
  of the expected raw or text; in no other record may it appear. No secret of the samples (and none given by --secret) may be in any row.
* A record over --max-record-bytes (1 MiB) must have extra.truncated, and its derived texts may end early; raw is whole.
* ingest_date is the UTC day of ingest_ts; not-null columns hold no NULL; --quarantine DIR has as many rows as the files have damaged records.

Exit status: 0 all equal, 1 any difference (the first --show of each field are printed), 2 wrong use.
"""
import argparse, os, re, sys, warnings
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "IntegrationTests")]
import expected

SECRETS = [r"alice-secret-1", r"bob-secret-2", r"rotated-", r"c2FsdHNhbHRzYWx0", r"AAAA:BBBB", r"line-secret", r"ext-secret-5", r"'+stolen", r"syntax-leak-4",
           r"on-replica-6", r"repl-pw", r"password\s+'+(?:np|x)'", r"password\s+12345\b"]
DELICATE = re.compile(r"passw|pwd|identified|secret|://|\b(?:create|alter)\s+(?:role|user|group)\b", re.I)
BLANK, COVERS = "***", "[\\s\\S]{0,200}?"
TEXTS = {"message", "detail", "hint", "context", "parameter", "application_name"}          # may hold a blanked secret
NOT_NULL = {"event_time", "ingest_ts", "src", "raw"}
TYPES = {"event_time": "timestamp", "ingest_ts": "timestamp", "ingest_date": "date",
         "extra": {"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": True}}


def schema_differences(log):
    names = list(log.fields)
    if names != expected.COLUMNS:
        yield "schema", "columns", expected.COLUMNS, names
    for c in expected.COLUMNS:
        if c in log.fields:
            f, want = log.fields[c], TYPES.get(c, "string")
            got = f["type"]
            if isinstance(got, dict) and isinstance(want, dict):
                got = got | {"valueContainsNull": True}
            if got != want:
                yield "schema", f"type of {c}", want, got
            if f["nullable"] == (c in NOT_NULL):
                yield "schema", f"nullable of {c}", c not in NOT_NULL, f["nullable"]
    if log.partitions != ["ingest_date"]:
        yield "schema", "partition columns", ["ingest_date"], log.partitions
    p = log.protocol
    if (p["minReaderVersion"], p["minWriterVersion"]) != (1, 2):
        yield "schema", "protocol", (1, 2), (p["minReaderVersion"], p["minWriterVersion"])


def blanked(want, got):
    """is `got` the text `want` with secrets blanked?"""
    if want == got:
        return True
    if not isinstance(want, str) or not isinstance(got, str) or BLANK not in got:
        return False
    return re.fullmatch(COVERS.join(map(re.escape, got.split(BLANK))), want) is not None


def table_rows(engine, table):
    """rows as dicts: timestamps in microseconds, extra a list of pairs"""
    import engines, pyarrow as pa
    data = engines.read(engine, table)
    for batch in data.to_batches(max_chunksize=65536):
        columns = {}
        for c in batch.schema.names:
            a = batch.column(c)
            columns[c] = a.view(pa.int64()).to_pylist() if pa.types.is_timestamp(a.type) else a.to_pylist()
        for xs in zip(*columns.values()):
            yield dict(zip(columns, xs))


def corrected(want, got, failures):
    """the row wanted when a later record of its session and transaction failed: auditlake may have corrected it"""
    extra = {e["key"]: e["value"] for e in got["extra"] or []}
    mine = want["extra"]
    if got["result"] != "FAILURE" or want["result"] != "SUCCESS" or "audit_type" not in mine or extra.get("outcome") != "final":
        return want
    for f in failures.get((want["session_id"], mine.get("virtual_transaction_id")), []):
        ids = {mine.get("query_id"), f["extra"].get("query_id")} - {None}
        if int(f["extra"]["session_line_num"]) > int(mine["session_line_num"]) and len(ids) < 2 and f["error_code"] == got["error_code"]:
            return want | {"result": "FAILURE", "error_code": f["error_code"]}
    return want


def row_differences(want, got, a):
    """(field, expected, got)"""
    delicate = a.redact and DELICATE.search(re.sub(r"\\[nrt]", " ", want["raw"]))         # jsonlog's raw has escapes
    long = len(want["raw"].encode("latin-1" if "raw_encoding" in want["extra"] else "utf-8")) > a.max_record_bytes

    def equal(field, w, g, text):
        if w == g:
            return True
        if text and delicate and blanked(w, g):
            return True
        if long and field != "raw" and text and isinstance(w, str):
            return g is None or w.startswith(g)                                           # cut
        return False

    for c in expected.COLUMNS:
        if c in ("extra", "ingest_ts", "ingest_date"):
            continue
        if not equal(c, want[c], got[c], c == "raw" or c == "statement" and long):
            yield c, want[c], got[c]
    pairs = [(e["key"], e["value"]) for e in got["extra"] or []]
    extra = dict(pairs)
    if len(extra) != len(pairs):
        yield "extra", "every key once", [k for k, n in Counter(k for k, _ in pairs).items() if n > 1]
    for k, v in extra.items():
        if v is None or v == "":
            yield f"extra.{k}", "no key without a value", v
        if k not in want["extra"] and not expected.PRODUCT_KEYS.fullmatch(k):
            yield f"extra.{k}", None, v
    for k, w in want["extra"].items():
        if not equal(f"extra.{k}", w, extra.get(k), k in TEXTS or k.startswith(("csv_", "json_"))):
            yield f"extra.{k}", w, extra.get(k)
    if ("truncated" in extra) != long:
        yield "extra.truncated", "a value" if long else None, extra.get("truncated")
    if got["ingest_ts"] is None or got["ingest_date"] is None or got["ingest_ts"] // 86_400_000_000 != (got["ingest_date"] - expected.EPOCH.date()).days:
        yield "ingest_date", "the UTC day of ingest_ts" if got["ingest_ts"] is None else expected.stamp(got["ingest_ts"])[:10], str(got["ingest_date"])
    if a.redact:
        for c, x in [*got.items(), *((f"extra.{k}", v) for k, v in extra.items())]:
            if isinstance(x, str) and (m := a.secrets.search(x)):
                yield f"secret in {c}", "blanked", x[max(0, m.start() - 60):m.end() + 20]


def shown(x, other):
    """a long text from where it differs"""
    text = x if isinstance(x, str) else repr(x)
    if isinstance(x, str) and isinstance(other, str) and len(x) > 160:
        at = next((i for i, (p, q) in enumerate(zip(x, other)) if p != q), min(len(x), len(other)))
        start = max(0, at - 40)
        return f"[{len(x)} characters, from {start}] {x[start:start + 160]!r}"
    return repr(x) if isinstance(x, str) else text[:300]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("table", metavar="TABLE_DIR")
    p.add_argument("logs", nargs="+", metavar="LOGFILE")
    p.add_argument("--role", default="primary", help="expected src (primary)")
    p.add_argument("--node", help="expected extra.node (none)")
    p.add_argument("--engine", default="deltalake", choices=("deltalake", "polars", "duckdb", "chdb"), help="reads the table (deltalake)")
    p.add_argument("--quarantine", metavar="DIR", help="Delta table of the quarantine; a folder that is not there counts as empty")
    p.add_argument("--redact", default="on", choices=("on", "off"), help="off: the texts must be untouched")
    p.add_argument("--secret", action="append", default=[], metavar="TEXT", help="one more text that must be nowhere")
    p.add_argument("--max-record-bytes", type=int, default=1 << 20)
    p.add_argument("--show", type=int, default=5, help="differences printed of each field (5)")
    a = p.parse_args()
    a.redact = a.redact == "on"
    a.secrets = re.compile("|".join(SECRETS + [re.escape(s) for s in a.secret]), re.I)
    import engines

    found = Counter()

    def difference(field, where, want, got):
        found[field] += 1
        if found[field] <= a.show:
            print(f"{field}: {where}\n  expected {shown(want, got)}\n  got      {shown(got, want)}")

    rows, damaged = expected.read(a.logs, a.role, a.node)
    wanted = {}
    for r in rows:
        key = r["session_id"], r["extra"].get("session_line_num"), r["event_time"]
        if key in wanted:
            print(f"the log files have record {key} twice", file=sys.stderr)
            return 2
        wanted[key] = r
    failures = {}
    for r in rows:
        if r["result"] == "FAILURE":
            failures.setdefault((r["session_id"], r["extra"].get("virtual_transaction_id")), []).append(r)

    for difference_of_schema in schema_differences(engines.Log(a.table)):
        difference(*difference_of_schema)
    if found:
        print(f"{sum(found.values())} differences in the schema; the rows were not compared")
        return 1
    seen, n = Counter(), 0
    for got in table_rows(a.engine, a.table):
        n += 1
        lines = [e["value"] for e in got["extra"] or [] if e["key"] == "session_line_num"]
        key = got["session_id"], lines[0] if lines else None, got["event_time"]
        where = f"session {key[0]} line {key[1]} at {'NULL' if key[2] is None else expected.stamp(key[2])}"
        seen[key] += 1
        if seen[key] > 1:
            difference("doubled row", where, "one row", f"{seen[key]} rows")
            continue
        for c in NOT_NULL:
            if got[c] is None:
                difference(f"NULL in {c}", where, "a value", None)
        want = wanted.get(key)
        if want is None:
            difference("row too many", where, None, got["raw"])
            continue
        for field, w, g in row_differences(corrected(want, got, failures), got, a):
            difference(field, where, w, g)
    for key, want in wanted.items():
        if key not in seen:
            difference("missing row", f"session {key[0]} line {key[1]} at {expected.stamp(key[2])}", want["raw"], None)
    if a.quarantine:
        held = engines.read("deltalake", a.quarantine, list(engines.Log(a.quarantine).fields)[:1]).num_rows if os.path.isdir(os.path.join(a.quarantine, "_delta_log")) else 0
        if held != len(damaged):
            difference("quarantine", a.quarantine, f"{len(damaged)} records: {[d[:3] for d in damaged[:5]]}", f"{held} rows")
    elif damaged:
        print(f"{len(damaged)} damaged records in the files; --quarantine was not given", file=sys.stderr)

    if found:
        print(f"{a.engine}: {n} rows, {len(wanted)} expected; differences: " + ", ".join(f"{f} {c}" for f, c in found.most_common()))
        return 1
    print(f"{a.engine}: {n} rows, every column as expected")
    return 0


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
