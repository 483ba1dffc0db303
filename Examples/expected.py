#!/usr/bin/env python3
"""expected.py LOGFILES... [--role primary] [--node pg1]    the table rows that log files must give, one JSON object a line
expected.py LOGFILES... --counts                           counts by folder of the files, as stable JSON

An independent reading of PostgreSQL's csvlog (9.0-12: 23 columns, 13: 24, 14 and later: 26) and jsonlog (files named .json or
.ndjson, bare or as CloudWatch Logs wraps the records) with pgaudit records in it. It is
written from PostgreSQL's and pgaudit's documentation and from the table contract, with Python's standard library alone and
without any code of auditlake, so that an error in one is not repeated in the other. Examples/compare.py holds a table against it.

Not computed here, because auditlake makes them: fingerprint, parsed_*, effective_role, outcome, amends, txn_outcome, truncated.
`raw` and the texts are given untouched; auditlake puts `***` in the place of secrets (compare.py knows how to compare them).
A last record without a newline is still being written: it is left out, and said so on stderr. A record that is no csvlog record
is counted as damaged (auditlake: quarantine). Times must be in UTC, GMT or a numeric zone (+03, -03:30).
"""
import argparse, csv, datetime, io, json, os, re, sys
from collections import Counter

csv.field_size_limit(1 << 31)

CSVLOG = ("log_time user_name database_name process_id connection_from session_id session_line_num command_tag session_start_time "
          "virtual_transaction_id transaction_id error_severity sql_state_code message detail hint internal_query internal_query_pos "
          "context query query_pos location application_name backend_type leader_pid query_id").split()
PGAUDIT = "audit_type statement_id substatement_id class command object_type object_name statement parameter rows".split()
COLUMNS = ("event_time db_name user_name client_addr session_id command_tag object_type object_name statement audit_class result "
           "error_code extra ingest_ts src raw ingest_date").split()
PRODUCT_KEYS = re.compile(r"fingerprint|parsed_\w+|effective_role|outcome|amends|txn_outcome|statement_ref|truncated")   # made by auditlake, not copied
ERRORS = {"ERROR", "FATAL", "PANIC"}
OTHERS = {"LOG", "WARNING", "NOTICE", "INFO", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5"}
CONNECT = ("connection received", "connection authenticated", "connection authorized", "replication connection authorized")
NO_STATEMENT = {"", "<not logged>", "<previously logged>"}


class Damaged(Exception):
    pass


# ---------------------------------------------------------------- SQL text: PostgreSQL's lexical rules (scan.l, versions 15-18)

IDENT = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9$\u0080-\U0010ffff]*")
PARAM = re.compile(r"\$([0-9]+)")
DOLLAR = re.compile(r"\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9\u0080-\U0010ffff]*)?\$")
DEC = r"[0-9](?:_?[0-9])*"
NUMBER = re.compile(rf"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
                    rf"|(?:{DEC}\.(?!\.)(?:{DEC})?|\.{DEC}|{DEC})(?:[eE][+-]?{DEC})?")
STRING = re.compile(r"(?:[eEbBxXnN]|[uU]&)?'")
CONTINUE = re.compile(r"(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'")


def string_end(sql, i, prefix):
    """i is behind the opening quote; the index behind the literal with its continuations, or None when it does not end"""
    n, escapes, doubles = len(sql), prefix in "eE", prefix not in "bBxX"       # x'1f''a' are two literals

    while i < n:
        c = sql[i]
        if escapes and c == "\\":
            i += 2
        elif c == "'":
            if doubles and sql.startswith("'", i + 1):
                i += 2
            elif m := CONTINUE.match(sql, i + 1):
                i = m.end()
            else:
                return i + 1
        else:
            i += 1
    return None


def tokens(sql):
    """(kind, start, end): literal, comment, param, word or quoted; an unterminated quote is a literal up to the end"""
    i, n = 0, len(sql)
    while i < n:
        if m := STRING.match(sql, i):
            end = string_end(sql, m.end(), sql[i])
            yield "literal", i, end or n
            i = end or n
        elif m := IDENT.match(sql, i):
            if sql[i] in "uU" and sql.startswith('&"', i + 1):        # U&"..."
                i += 2
                continue
            yield "word", i, m.end()
            i = m.end()
        elif sql[i] == '"':
            j = i + 1
            while (j := sql.find('"', j)) >= 0 and sql.startswith('""', j):
                j += 2
            yield ("literal", i, n) if j < 0 else ("quoted", i, j + 1)
            i = n if j < 0 else j + 1
        elif sql.startswith("--", i):
            j = i + 2
            while j < n and sql[j] not in "\n\r":
                j += 1
            yield "comment", i, j
            i = j
        elif sql.startswith("/*", i):
            depth, j = 1, i + 2
            while depth and j < n:
                if sql.startswith("/*", j):
                    depth, j = depth + 1, j + 2
                elif sql.startswith("*/", j):
                    depth, j = depth - 1, j + 2
                else:
                    j += 1
            yield "comment", i, j
            i = j
        elif sql.startswith("..", i):                                 # 1..2 is two numbers and one token between them
            i += 2
        elif m := NUMBER.match(sql, i):
            yield "literal", i, m.end()
            i = m.end()
        elif m := PARAM.match(sql, i):
            yield "param", i, m.end()
            i = m.end()
        elif m := DOLLAR.match(sql, i):
            j = sql.find(m.group(), m.end())
            yield "literal", i, n if j < 0 else j + len(m.group())
            i = n if j < 0 else j + len(m.group())
        else:
            i += 1


def normalize(sql):
    """every literal becomes $n, n counting on from the highest parameter in the text; every comment becomes one space"""
    found = list(tokens(sql))
    n = max((int(sql[s + 1:e]) for kind, s, e in found if kind == "param"), default=0)
    out, at = [], 0
    for kind, s, e in found:
        if kind in ("literal", "comment"):
            out.append(sql[at:s])
            if kind == "literal":
                n += 1
                out.append(f"${n}")
            else:
                out.append(" ")
            at = e
    return "".join(out) + sql[at:]


def command_of(sql):
    """what pgaudit calls `???`: a MERGE among the words of the statement"""
    return next((sql[s:e].upper() for kind, s, e in tokens(sql) if kind == "word" and sql[s:e].upper() == "MERGE"), None)


# ---------------------------------------------------------------- csvlog

def records(data):
    """(offset, bytes without the last newline) of every whole record: it ends at the first newline that no quote holds"""
    start, at, quotes = 0, 0, 0
    while (nl := data.find(b"\n", at)) >= 0:
        quotes += data.count(b'"', at, nl)
        at = nl + 1
        if quotes % 2 == 0:
            yield start, data[start:nl]
            start, quotes = at, 0
    if start < len(data):
        yield start, None                                             # undecided: the writer has not ended it yet


def lines(data):
    """(offset, bytes without the newline) of every line"""
    at = 0
    while (nl := data.find(b"\n", at)) >= 0:
        yield at, data[at:nl]
        at = nl + 1
    if at < len(data):
        yield at, None


TIME = re.compile(r"(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))? (\S+)")
ZONE = re.compile(r"([+-])(\d\d):?(\d\d)?")
EPOCH = datetime.datetime(1970, 1, 1)


def microseconds(text):
    m = TIME.fullmatch(text)
    if not m:
        raise Damaged(f"no time: {text[:40]!r}")
    zone = 0
    if m[8] not in ("UTC", "GMT", "Z"):
        z = ZONE.fullmatch(m[8])
        if not z:
            raise Damaged(f"zone {m[8]!r} is ambiguous")
        zone = (int(z[2]) * 60 + int(z[3] or 0)) * (-1 if z[1] == "-" else 1)
    try:
        t = datetime.datetime(*(int(m[k]) for k in range(1, 7))) - EPOCH
    except ValueError as e:
        raise Damaged(f"no time: {e}")
    return (t.days * 86400 + t.seconds - zone * 60) * 1_000_000 + int((m[7] or "").ljust(6, "0"))


def csv_fields(text):
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error as e:
        raise Damaged(str(e))
    if len(rows) != 1:
        raise Damaged("no record")
    return rows[0]


def pgaudit(r):
    """the fields of a pgaudit record, or None"""
    if not r["message"].startswith(("AUDIT: SESSION,", "AUDIT: OBJECT,")) or r["error_severity"] in ERRORS or r["context"] or r["query"]:
        return None
    try:
        f = csv_fields(r["message"][len("AUDIT: "):])
    except Damaged:
        return None
    return dict(zip(PGAUDIT, f + [""])) if len(f) in (9, 10) else None


LOGGED = re.compile(r"(?:duration: [0-9.]+ ms  )?(?:statement|(?:execute fetch from|execute|parse|bind) .*?): ", re.S)


def statement_of(r, audit):
    if audit:
        return None if audit["statement"] in NO_STATEMENT else audit["statement"]
    if r["query"]:
        return r["query"]
    m = LOGGED.match(r["message"])
    return r["message"][m.end():] or None if m else None


def own_tag(tag):
    tag = tag.removesuffix(" waiting")
    return tag if re.fullmatch(r"[A-Z]+(?: [A-Z]+)*", tag) and tag not in ("PARSE", "BIND") else None


def decoded(data):
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin1"


def csv_record(raw):
    """(columns by name, further columns for extra)"""
    f = csv_fields(raw)
    if len(f) not in (23, 24) and len(f) < 26:
        raise Damaged(f"{len(f)} fields")
    r = dict(zip(CSVLOG, f + [""] * 26))
    if any(TIME.fullmatch(x[-27:]) or TIME.match(x) for x in f[26:]):
        raise Damaged(f"{len(f)} fields: two records in one")
    client = r["connection_from"]
    r["client"] = "" if client == "[local]" else client.rpartition(":")[0] or client
    return r, {f"csv_{i + 1}": x for i, x in enumerate(f) if i >= 26}


# ---------------------------------------------------------------- jsonlog

JSONLOG = ("timestamp user dbname pid session_id line_num ps session_start vxid txid error_severity state_code message detail hint internal_query "
           "internal_position context statement cursor_position application_name backend_type leader_pid query_id").split()
CSV_NAMES = ("log_time user_name database_name process_id session_id session_line_num command_tag session_start_time virtual_transaction_id "
             "transaction_id error_severity sql_state_code message detail hint internal_query internal_query_pos context query query_pos "
             "application_name backend_type leader_pid query_id").split()
NUMBERS = {"pid", "line_num", "txid", "internal_position", "cursor_position", "leader_pid", "query_id"}
NO_COLUMN = {"remote_host", "remote_port", "func_name", "file_name", "file_line_num"}
EXPORTED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d) (?=\{)")


class Number(str):
    """a number's text as it stands in the file"""


def json_object(text):
    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise Damaged("a key stands twice")
        return dict(pairs)
    try:
        o = json.loads(text, parse_int=Number, parse_float=Number, object_pairs_hook=once)
    except ValueError as e:
        raise Damaged(str(e))
    if not isinstance(o, dict):
        raise Damaged("no object")
    return o


def json_texts(line):
    """the records in one line: itself, or what CloudWatch Logs put around them"""
    line = line.removesuffix("\r")
    if m := EXPORTED.match(line):
        line = line[m.end():]
    try:
        o = json_object(line)
    except Damaged:
        return [line]
    if "logEvents" in o and "messageType" in o:
        return [e.get("message", "").rstrip("\r\n") for e in o["logEvents"]] if o["messageType"] == "DATA_MESSAGE" else []
    if isinstance(o.get("timestamp"), Number) and isinstance(o.get("message"), str):
        return [o["message"].rstrip("\r\n")]
    return [line]


def json_record(raw):
    o = {k: v for k, v in json_object(raw).items() if v is not None}
    r = dict.fromkeys(CSVLOG, "")
    for k, name in zip(JSONLOG, CSV_NAMES):
        v = o.get(k, Number() if k in NUMBERS else "")
        if not isinstance(v, str) or isinstance(v, Number) != (k in NUMBERS):
            raise Damaged(f"{k} is {v!r}")
        r[name] = str(v)
    r["client"] = o.get("remote_host", "").replace("[local]", "")
    further = {k: v for k, v in o.items() if k not in JSONLOG and k not in NO_COLUMN}
    return r, {f"json_{k}": v if isinstance(v, str) else json.dumps(v) for k, v in further.items()}


def row_of(raw, encoding, form, role, node):
    """one record's row; `extra` without auditlake's own keys, ingest_ts and ingest_date absent"""
    r, further = (json_record if form == "json" else csv_record)(raw)
    severity = r["error_severity"]
    if severity not in ERRORS | OTHERS:
        raise Damaged(f"severity {severity!r}: this script knows the C locale's only")
    time = microseconds(r["log_time"])
    audit = pgaudit(r)
    message, tag, state = r["message"], r["command_tag"], r["sql_state_code"]
    connects, disconnects = severity == "LOG" and message.startswith(CONNECT), severity == "LOG" and message.startswith("disconnection:")
    text = statement_of(r, audit)

    if audit:
        command = audit["command"]
        if command == "???":
            command = text and command_of(text) or own_tag(tag)
    elif connects or severity == "FATAL" and tag in ("authentication", "startup"):
        command = "CONNECT"
    elif disconnects:
        command = "DISCONNECT"
    else:
        command = own_tag(tag)

    if severity in ERRORS and state[:2] not in ("", "00", "01", "02", "03"):
        result = "FAILURE"
    else:
        result = "SUCCESS" if audit or connects or disconnects else None

    extra = {"node": node, "log_format": form, "raw_encoding": encoding, "log_line_severity": severity}
    if audit:
        extra |= {k: audit[k] for k in ("audit_type", "statement_id", "substatement_id", "parameter", "rows")}
    else:
        extra["message"] = message
    extra |= {k: r[k] for k in ("detail", "hint", "context", "application_name", "backend_type", "process_id", "session_line_num",
                                "virtual_transaction_id")}
    extra |= {k: r[k] for k in ("transaction_id", "query_id") if r[k] != "0"}
    extra |= further

    audit = audit or {}
    audit_class = audit.get("class")
    return {
        "event_time": time, "db_name": r["database_name"] or None, "user_name": r["user_name"] or None, "client_addr": r["client"] or None,
        "session_id": r["session_id"] or None, "command_tag": command or None, "object_type": audit.get("object_type") or None,
        "object_name": audit.get("object_name") or None, "statement": normalize(text) if text is not None else None,
        "audit_class": ("MISC" if audit_class == "MISC_SET" else audit_class) or None, "result": result,
        "error_code": state if state not in ("", "00000") else None,
        "extra": {k: v for k, v in extra.items() if v}, "src": role, "raw": raw,
    }


def read(paths, role="primary", node=None):
    """(rows, damaged): all rows of all files; damaged are (path, offset, reason)"""
    rows, damaged = [], []
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        form = "json" if path.endswith((".json", ".ndjson", ".jsonl")) else "csv"
        for offset, record in (lines if form == "json" else records)(data):
            if record is None:
                print(f"{path}: the last {len(data) - offset} bytes (from {offset}) are no whole record yet; left out", file=sys.stderr)
                continue
            text, encoding = decoded(record)
            for raw in json_texts(text) if form == "json" else [text]:
                try:
                    rows.append(row_of(raw, encoding, form, role, node))
                except Damaged as e:
                    damaged.append((path, offset, str(e)))
    return rows, damaged


def counts(rows, damaged):
    def by(values):
        return dict(sorted(Counter("none" if v is None else v for v in values).items()))
    failures = [r for r in rows if r["result"] == "FAILURE"]
    return {
        "rows": len(rows), "damaged": len(damaged), "sessions": len({r["session_id"] for r in rows}),
        "audit_class": by(r["audit_class"] for r in rows), "audit_type": by(r["extra"].get("audit_type") for r in rows),
        "command_tag": by(r["command_tag"] for r in rows), "result": by(r["result"] for r in rows),
        "failures": by(f"{r['error_code']} {r['user_name'] or '-'}" for r in failures),
        "user_name": by(r["user_name"] for r in rows), "db_name": by(r["db_name"] for r in rows),
        "with_statement": sum(r["statement"] is not None for r in rows),
        "distinct_statements": len({r["statement"] for r in rows} - {None}),
        "several_lines": sum("\n" in r["raw"] for r in rows), "latin1": sum("raw_encoding" in r["extra"] for r in rows),
        "first_event": min((stamp(r["event_time"]) for r in rows), default=None), "last_event": max((stamp(r["event_time"]) for r in rows), default=None),
    }


def stamp(us):
    return (EPOCH + datetime.timedelta(microseconds=us)).isoformat(timespec="microseconds") + "Z"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("logs", nargs="+", metavar="LOGFILE")
    p.add_argument("--role", default="primary", help="value of src (primary)")
    p.add_argument("--node", help="value of extra.node (none)")
    p.add_argument("--counts", action="store_true", help="counts instead of rows, one object for each folder that holds a file")
    a = p.parse_args()
    bad = []
    if a.counts:
        folders = {}
        for path in a.logs:
            folders.setdefault(os.path.basename(os.path.dirname(os.path.abspath(path))), []).append(path)
        out = {}
        for name in sorted(folders):
            rows, damaged = read(folders[name], a.role, a.node)
            out[name] = counts(rows, damaged)
            bad += damaged
        print(json.dumps(out, indent=2, ensure_ascii=False))
    else:
        rows, bad = read(a.logs, a.role, a.node)
        for r in rows:
            print(json.dumps(r | {"event_time": stamp(r["event_time"])}, ensure_ascii=False))
    for path, offset, reason in bad:
        print(f"{path}: damaged record at byte {offset}: {reason}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.exit(0)
