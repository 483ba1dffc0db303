#!/usr/bin/env python3
"""What Databricks audit events must become: bronze, silver, gold and quarantine as plain dictionaries, read a second time with the standard
library and none of auditlake's code. `databricks_expected.py FILES…` prints what they hold; databricks_selftest.py checks the rules below.

    read([[File(path), …], …]) -> Tables, one list of files a batch, in the order of their arrival

Rules (DESIGN, the tables' documentation and the record format as Databricks documents it):
  lines      end with \\n, a \\r before it is no part of the line; blank lines belong to no table
  bronze     every line, also a broken one; one that is no UTF-8 as Latin-1 text with raw_encoding latin1
  marks      a byte order mark before a line is bronze's and no part of the event
  envelopes  what stands beside records is in _rescued of every record, behind its own
  events     a JSON object with a time, a service or an action; names of the delivered form (serviceName), of the system table (service_name) or of
             Azure's diagnostic form (properties, identity; JSON held in strings), alone or many in {"records": […]}
  texts      a string with its escapes undone (half of a surrogate pair is U+FFFD), a number or boolean as written, null is NULL, anything nested
             is its text without the blanks between tokens
  time       timestamp in ms since 1970, else event_time or time in ISO 8601, UTC without a zone
  first      of two keys of one name the first counts; whatever has no column of its own is in _rescued under its path, the
             second of one path with #2 behind it
  gold       one table per serviceName; events without one are in that of the service without a name
  names      - becomes _; in a key what engines refuse is percent-encoded, in a table's name what is no letter, digit or _ of ASCII is _xHH by bytes of UTF-8;
             a clash without regard to case gets _2, _3 …
"""
import calendar, datetime, decimal, gzip, hashlib, os, re, subprocess, sys, unicodedata
from collections import Counter, namedtuple
from json.decoder import JSONDecodeError, scanstring

MARK = b"\xef\xbb\xbf"
RULES = ("valid_workspace_id", "timestamp_is_not_null", "service_name_is_not_null", "action_name_is_not_null")
sys.setrecursionlimit(40_000)                                          # three calls for each level of nesting
STRIP = ("null", "")                                                   # of "null", "", "{}", "[]"
DEEPEST = 4096                                                         # objects and arrays inside of each other
DAY = 86_400_000_000                                                   # microseconds
BRONZE = ("raw", "raw_encoding", "source", "source_offset", "source_partition", "source_key", "source_time", "ingest_ts", "date")
TEXTS = ("accountId", "workspaceId", "sourceIPAddress", "userAgent", "sessionId", "email", "subjectName", "serviceName", "actionName", "requestId")
SILVER = ("event_id", "version", "timestamp", "date_time", *TEXTS, "requestParams", "response", "auditLevel", "identity_metadata", "_rescued", "ingest_ts", "source",
          "source_offset", "date")
QUARANTINE = ("source", "source_offset", "length", "reason", "raw", "raw_encoding", "ingest_ts", "date")

FIELDS = {"version": "version", "timestamp": "timestamp", "event_time": "event_time", "event_date": "event_date", "auditLevel": "auditLevel", "audit_level": "auditLevel",
          "event_id": "event_id", "identity_metadata": "identity_metadata", "userIdentity": "userIdentity", "user_identity": "userIdentity", "requestParams": "requestParams",
          "request_params": "requestParams", "response": "response", "source_ip_address": "sourceIPAddress",
          **{t: t for t in TEXTS if t not in ("email", "subjectName")}, **{re.sub("[A-Z]", lambda m: "_" + m[0].lower(), t): t for t in TEXTS if t not in ("email", "subjectName", "sourceIPAddress")}}
DIAGNOSTIC = FIELDS | {"time": "event_time", "operationVersion": "version", "identity": "userIdentity"}
IDENTITY = {"email": "email", "subjectName": "subjectName", "subject_name": "subjectName"}
RESPONSE = {"statusCode": "statusCode", "status_code": "statusCode", "errorMessage": "errorMessage", "error_message": "errorMessage", "result": "result"}


# ---------------------------------------------------------------- JSON with the places of its values

class Malformed(ValueError):
    """what is no JSON"""


Value = namedtuple("Value", "kind text members start end")             # members: pairs of an object, values of an array

BLANKS = re.compile(r"[ \t\r\n]*")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
BETWEEN = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')
WORDS = {"null": "null", "true": "boolean", "false": "boolean"}


def parse(text, start=0, end=None):
    """the one value of a JSON text"""
    value = at_value(text, BLANKS.match(text, start).end(), 0)
    if BLANKS.match(text, value.end).end() != (len(text) if end is None else end):
        raise Malformed("more than one value")
    return value


def string(text, at):
    if text[at:at + 1] != '"':
        raise Malformed("a string is missing")
    try:
        found, end = scanstring(text, at + 1, True)
    except JSONDecodeError as e:
        raise Malformed(str(e)) from None
    return re.sub("[\ud800-\udfff]", "\ufffd", found), end


def at_value(text, at, depth):
    first = text[at:at + 1]
    if first == '"':
        found, end = string(text, at)
        return Value("string", found, None, at, end)
    if first and first in "{[":
        if depth >= DEEPEST:
            raise Malformed("nested too deep")
        members, end = at_members(text, at, depth + 1)
        return Value("object" if first == "{" else "array", BETWEEN.sub(lambda m: m[1] or "", text[at:end]), members, at, end)
    for word, kind in WORDS.items():
        if text.startswith(word, at):
            return Value(kind, word, None, at, at + len(word))
    if number := NUMBER.match(text, at):
        return Value("number", number[0], None, at, number.end())
    raise Malformed(f"no value at {at}")


def at_members(text, at, depth):
    is_object, members = text[at] == "{", []
    close = "}" if is_object else "]"
    at = BLANKS.match(text, at + 1).end()
    if text[at:at + 1] == close:
        return members, at + 1
    while True:
        if is_object:
            key, at = string(text, at)
            at = BLANKS.match(text, at).end()
            if text[at:at + 1] != ":":
                raise Malformed("a colon is missing")
            value = at_value(text, BLANKS.match(text, at + 1).end(), depth)
            members.append((key, value))
        else:
            value = at_value(text, at, depth)
            members.append(value)
        at = BLANKS.match(text, value.end).end()
        if text[at:at + 1] == close:
            return members, at + 1
        if text[at:at + 1] != ",":
            raise Malformed("a comma is missing")
        at = BLANKS.match(text, at + 1).end()


def content(value):
    """a value as the text of a column"""
    return None if value is None or value.kind == "null" else value.text


# ---------------------------------------------------------------- one event

class NoEvent(ValueError):
    """JSON that tells of nothing"""


def microseconds(text):
    """ISO 8601, UTC without a zone; None for anything else"""
    m = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|z|[-+]\d\d(?::?\d\d)?)?)?", text or "")
    if not m:
        return None
    year, month, day, hour, minute, second = (int(x or 0) for x in m.groups()[:6])
    try:
        datetime.datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    shift = 0
    if m[8] and m[8] not in "Zz":
        digits = m[8][1:].replace(":", "").ljust(4, "0")
        shift = (int(digits[:2]) * 60 + int(digits[2:])) * (-60 if m[8][0] == "-" else 60)
    return (calendar.timegm((year, month, day, hour, minute, second)) - shift) * 1_000_000 + int((m[7] or "").ljust(6, "0")[:6])


def integer(value):
    """the whole number that a number or a string of digits is; None for anything else"""
    if value is None or value.kind not in ("number", "string") or value.kind == "string" and not re.fullmatch(r"-?\d+", value.text, re.ASCII):
        return None
    exact = decimal.Decimal(value.text)
    if abs(exact) > 2**64 or exact != int(exact):
        return None
    number = int(exact)
    return number if -2**63 <= number < 2**63 else None


def inner(value):
    """the object that a value is, or that stands in it as a text"""
    if value.kind == "string":
        try:
            value = parse(value.text)
        except Malformed:
            return None
    return value if value.kind == "object" else None


class Event:
    def __init__(self, value, envelope=()):
        if value.kind != "object":
            raise NoEvent("no_event")
        self.fields, self.names, self.rescued = {}, {}, {}
        properties = next((v for k, v in value.members if k == "properties" and v.kind == "object"), None)
        self.is_diagnostic = properties is not None
        self.take(value.members, DIAGNOSTIC if properties else FIELDS, "", properties)
        if not any(self.fields.get(f) is not None and self.fields[f].kind != "null" for f in ("timestamp", "event_time", "serviceName", "actionName")):
            raise NoEvent("no_event")
        self.envelope = envelope

    def take(self, members, fields, path, properties=None):
        for key, value in members:
            if value is properties and value is not None:
                self.take(value.members, fields, path + "properties.")
                properties = None
            elif key in fields and fields[key] not in self.fields:
                self.fields[fields[key]] = value
                self.names[fields[key]] = path + key
            else:
                self.rescue(path + key, value)

    def rescue(self, path, value):
        n, unique = 1, path
        while unique in self.rescued:
            n, unique = n + 1, f"{path}#{n + 1}"
        self.rescued[unique] = content(value)

    def open(self, field, names, strip=()):
        """the members of an object by column, without those that are stripped; what has no column is rescued, as is a value that is no object"""
        value, found = self.fields.get(field), {}
        if value is None or value.kind == "null":
            return None
        members = inner(value)
        if members is None:
            self.rescue(self.names[field], value)
            return None
        for key, member in members.members:
            if is_stripped(member, strip):
                continue
            if names is None and key not in found or names is not None and key in names and names[key] not in found:
                found[key if names is None else names[key]] = member
                self.names[f"{field}.{key if names is None else names[key]}"] = f"{self.names[field]}.{key}"
            else:
                self.rescue(f"{self.names[field]}.{key}", member)
        return found

    def number(self, field):
        value = self.fields.get(field)
        number = integer(value)
        if number is None and value is not None and value.kind != "null":
            self.rescue(self.names[field], value)
        return number

    def row(self, strip, ingest_ts):
        """silver's columns but for event_id, source and source_offset"""
        text = lambda field: content(self.fields.get(field))
        timestamp, written = self.number("timestamp"), self.fields.get("event_time")
        date_time = None if timestamp is None else timestamp * 1000
        if date_time is None:
            date_time = microseconds(text("event_time"))
            timestamp = None if date_time is None else date_time // 1000
        if written is not None and written.kind != "null" and (date_time is None or microseconds(written.text) != date_time):
            self.rescue(self.names["event_time"], written)
        day = (ingest_ts if date_time is None else date_time) // DAY
        given = self.fields.get("event_date")
        if given is not None and given.kind != "null" and given.text != str(datetime.date(1970, 1, 1) + datetime.timedelta(day)):
            self.rescue(self.names["event_date"], given)
        identity, response = self.open("userIdentity", IDENTITY) or {}, self.open("response", RESPONSE)
        if response is not None:
            code = integer(response.get("statusCode"))
            if code is None and content(response.get("statusCode")) is not None:
                self.rescue(self.names["response.statusCode"], response["statusCode"])
            response = {"statusCode": code, "errorMessage": content(response.get("errorMessage")), "result": content(response.get("result"))}
        params, metadata = self.open("requestParams", None, strip), self.open("identity_metadata", None)
        params = None if params is None else {k: content(v) for k, v in params.items()}
        metadata = None if metadata is None else {k: content(v) for k, v in metadata.items()}
        for key, value in self.envelope:
            self.rescue(key, value)
        return {"version": text("version"), "timestamp": timestamp, "date_time": date_time, "date": day, **{t: text(t) for t in TEXTS}, "email": content(identity.get("email")),
                "subjectName": content(identity.get("subjectName")), "requestParams": params, "response": response, "auditLevel": text("auditLevel"), "identity_metadata": metadata,
                "_rescued": self.rescued or None, "ingest_ts": ingest_ts}

    def broken(self, row):
        """the rules that the event breaks; Azure's form has no workspaceId"""
        id = row["workspaceId"]
        valid = self.is_diagnostic if id is None else re.fullmatch(r"\d+", id, re.ASCII) and int(id) < 2**63
        checks = (valid, row["date_time"] is not None, row["serviceName"] is not None, row["actionName"] is not None)
        return [rule for rule, holds in zip(RULES, checks) if not holds]


def is_stripped(value, strip):
    return {"null": "null", "string": "" if value.text == "" else None, "object": value.text if not value.members else None,
            "array": value.text if not value.members else None}.get(value.kind) in strip


# ---------------------------------------------------------------- names

REFUSED = set(" ,;{}()=.\"'`/\\%*?[]#:<>|")


def short(name, out, most):
    """at most so many bytes; what is cut off is told by a hash"""
    return out if len(out.encode()) <= most else out.encode()[:most - 9].decode("utf-8", "ignore") + "_" + hashlib.sha256(name.encode()).hexdigest()[:8]


def column_name(key):
    """the field of a key: percent-encoded where engines refuse a character"""
    key = unicodedata.normalize("NFC", key)
    parts = ("_" if c == "-" else "".join(f"%{b:02X}" for b in c.encode()) if c in REFUSED or unicodedata.category(c) == "Cc" else c for c in key)
    return short(key, "".join(parts) or "_", 200)


def table_name(service):
    """the table of a service: letters, digits and _ of ASCII, since delta-rs, Polars and chDB cannot open a folder with % in its name, nor Polars one with others"""
    service = unicodedata.normalize("NFC", service)
    parts = ("_" if c == "-" else c if re.fullmatch(r"\w", c, re.ASCII) else "".join(f"_x{b:02X}" for b in c.encode()) for c in service)
    name = short(service, "".join(parts) or "_", 100)
    return "_x5F" + name[1:] if name.lower() == "_delta_log" else name         # a folder of this name is a table's log


def claim(base, taken):
    """a safe name, with a number behind it where another has it already but for letter case"""
    n = 1
    while True:
        unique = base if n == 1 else f"{base}_{n}"
        folded = unicodedata.normalize("NFC", unique.lower())
        if folded not in taken:
            taken.add(folded)
            return unique
        n += 1


class Service:
    def __init__(self, table):
        self.table, self.columns, self.taken, self.has_placeholder = table, {}, {"null"}, False      # ClickHouse keeps the name null for itself
        self.absent = set()                                            # keys that are known, but that the table has no column for

    def learn(self, keys):
        for key in keys:
            if key not in self.columns:
                self.columns[key] = claim(column_name(key), self.taken)

    def close_batch(self):
        """a table cannot have a struct without fields"""
        if not self.columns and not self.has_placeholder:
            self.has_placeholder = True
            self.taken.add("placeholder")

    @property
    def fields(self):
        return ["placeholder"] * self.has_placeholder + [column for key, column in self.columns.items() if key not in self.absent]


# ---------------------------------------------------------------- files into tables

class File:
    """a file as delivered; `name` is what column source shows, `time` its modification in microseconds"""

    def __init__(self, path, name=None, time=None, start=0, end=None):
        self.path, self.name = path, name or os.path.abspath(path)
        self.time = os.stat(path).st_mtime_ns // 1000 if time is None else time
        self.start, self.end = start, end                              # the bytes that belong to the batch, of the decompressed ones

    def data(self):
        if self.path.endswith((".zst", ".zstd")):
            return subprocess.run(["zstd", "-dcq", self.path], stdout=subprocess.PIPE, check=True).stdout
        with (gzip.open if self.path.endswith(".gz") else open)(self.path, "rb") as f:
            return f.read()


def lines(data, start=0):
    """offset and bytes of every line that is not blank, without its end"""
    at = start
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line = data[at:end].removesuffix(b"\r")
        if line.removeprefix(MARK).strip(b" \t\r"):
            yield at, line
        at = end + 1


class Tables:
    def __init__(self, strip=STRIP, actions=()):
        self.strip, self.actions = strip, dict(actions)
        self.bronze, self.silver, self.quarantine, self.gold, self.services, self.tables = [], [], [], {}, {}, set()
        self.checked, self.failed, self.lines, self.records = Counter(), Counter(), 0, 0

    def add(self, files, ingest_ts=0):
        """one batch"""
        for file in files:
            ordinals = Counter()
            for offset, line in lines(file.data()[:file.end], file.start):
                self.line(file, offset, line, ingest_ts, ordinals)
        for service in self.services.values():
            service.close_batch()

    def line(self, file, offset, line, ingest_ts, ordinals):
        try:
            text, encoding = line.decode("utf-8"), None
        except UnicodeDecodeError:
            text, encoding = line.decode("latin-1"), "latin1"
        self.lines += 1
        self.bronze.append({"raw": text, "raw_encoding": encoding, "source": file.name, "source_offset": offset, "source_partition": None, "source_key": None,
                            "source_time": file.time, "ingest_ts": ingest_ts, "date": ingest_ts // DAY})

        if line.startswith(MARK):
            text, offset = text[3 if encoding else 1:], offset + len(MARK)

        def refuse(reason, record=text, at=offset):
            self.quarantine.append({"source": file.name, "source_offset": at, "length": len(record.encode("latin-1" if encoding else "utf-8")), "reason": reason, "raw": record,
                                    "raw_encoding": encoding, "ingest_ts": ingest_ts, "date": ingest_ts // DAY})

        try:
            whole = parse(text)
        except Malformed:
            return refuse("malformed_json")
        envelope = next((v for k, v in whole.members if k == "records" and v.kind == "array"), None) if whole.kind == "object" else None
        beside = [] if envelope is None else [(k, v) for k, v in whole.members if v is not envelope]
        if beside and not envelope.members:
            return refuse("no_event")
        for value in [whole] if envelope is None else envelope.members:
            self.records += 1
            record = text if envelope is None else text[value.start:value.end]
            at = offset if envelope is None else offset + len(text[:value.start].encode("latin-1" if encoding else "utf-8"))
            try:
                event = Event(value, beside)
            except NoEvent as e:
                refuse(str(e), record, at)
                continue
            row = event.row(self.strip, ingest_ts)
            rules = event.broken(row)
            self.checked.update(RULES)
            self.failed.update(rules)
            if dropped := [r for r in rules if self.actions.get(r) == "drop"]:
                refuse(f"rule_{dropped[0]}", record, at)
                continue
            digest = hashlib.sha256(record.encode("latin-1" if encoding else "utf-8")).hexdigest()[:32]
            given = content(event.fields.get("event_id"))
            if given is None:
                given = f"{digest}-{ordinals[digest]}"
                ordinals[digest] += 1
            self.event(row | {"event_id": given, "source": file.name, "source_offset": at})

    def event(self, row):
        self.silver.append(row)
        name = unicodedata.normalize("NFC", row["serviceName"] or "")          # spellings of one name are one service
        if name not in self.services:
            self.services[name] = Service(claim(table_name(name), self.tables))
            self.gold[name] = []
        self.services[name].learn(row["requestParams"] or {})
        self.gold[name].append(row)

    def gold_rows(self, name):
        """the rows of a service with requestParams as its struct"""
        service = self.services[name]
        struct = lambda params: None if params is None else dict.fromkeys(service.fields) | {service.columns[k]: v for k, v in params.items()}
        return [row | {"requestParams": struct(row["requestParams"])} for row in self.gold[name]]

    def reasons(self):
        return Counter(q["reason"] for q in self.quarantine)


def read(batches, times=None, strip=STRIP, actions=()):
    """all batches, in their order; `times`: ingest_ts of each, in microseconds"""
    tables = Tables(strip, actions)
    for n, files in enumerate(batches):
        tables.add(files, times[n] if times else 0)
    return tables


def arrival(folder, *endings):
    """the files below a folder in the order of their arrival: by modification, then by name"""
    paths = [os.path.join(f, n) for f, _, names in os.walk(folder) for n in names if n.endswith(endings or (".json", ".json.gz", ".json.zst"))]
    return [File(p) for p in sorted(paths, key=lambda p: (os.stat(p).st_mtime_ns, os.path.abspath(p).encode()))]


def main():
    tables = read([[File(p) for p in sys.argv[1:]]])
    print(f"{tables.lines} lines, {len(tables.silver)} events, {dict(tables.reasons())} in quarantine, broken rules {dict(tables.failed)}")
    for name, service in tables.services.items():
        print(f"  {service.table}: {len(tables.gold[name])} events of {name!r}: {', '.join(service.fields)}")


if __name__ == "__main__":
    main()
