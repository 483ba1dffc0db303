"""What files of customers must become, by Documentation/CustomerCSV.md: a second reading, which shares nothing with auditlake's.

Records are cut by a state machine over bytes, and held against Python's own csv module. It knows files that keep to RFC 4180, with any separator; damaged ones are
the business of unit tests, but for records with too many or too few fields.
"""
import csv, hashlib, hmac, io, json, re
from datetime import datetime, timedelta, timezone

OWN = ["customer", "event_id", "_rescued", "source", "source_offset", "ingest_ts", "date"]
QUARANTINE = ["source", "source_offset", "length", "reason", "raw", "raw_encoding", "ingest_ts", "date"]
SAMPLE_RECORDS, SAMPLE_BYTES = 1_000, 1 << 20
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$")


class Kept:
    """settings of a pipeline that matter to its rows"""

    def __init__(self, customer="customer", event_time=None, types=None, exclude=(), masks=None, key=None, separator=None):
        self.customer, self.event_time, self.types, self.exclude = customer, event_time, types or {}, set(exclude)
        self.masks, self.key, self.separator = masks or {}, key, separator


# ---------------------------------------------------------------- records

def records(data, separator):
    """offset, end without the line's end, and the fields of every record"""
    at, n, sep = 0, len(data), ord(separator)
    while at < n:
        start, fields, field, quoted = at, [], bytearray(), False
        fresh = True
        while True:
            if at == n:
                fields.append(bytes(field))
                yield start, at, fields
                return
            c = data[at]
            if quoted:
                if c == 0x22 and at + 1 < n and data[at + 1] == 0x22:
                    field.append(c)
                    at += 2
                    continue
                if c == 0x22:
                    quoted = False
                else:
                    field.append(c)
                at += 1
                continue
            if c == 0x22 and fresh:
                quoted, fresh = True, False
                at += 1
            elif c == sep:
                fields.append(bytes(field))
                field, fresh = bytearray(), True
                at += 1
            elif c == 0x0A or c == 0x0D and at + 1 < n and data[at + 1] == 0x0A:
                fields.append(bytes(field))
                yield start, at, fields
                at += 1 + (c == 0x0D)
                break
            else:
                field.append(c)
                fresh = False
                at += 1


def read_file(data, separator):
    """the header's names, and offset, end and texts of every record; held against the csv module"""
    mark = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    text = data[mark:]
    if separator is None:
        line = text.split(b"\n", 1)[0]
        separator = max(",;\t|", key=lambda s: (line.count(s.encode()), -",;\t|".index(s)))
    found = [(s + mark, e + mark, [f.decode() for f in fields]) for s, e, fields in records(text, separator) if e > s]
    theirs = [r for r in csv.reader(io.StringIO(text.decode(), newline=""), delimiter=separator) if r]
    if [f for _, _, f in found] != theirs:
        raise ValueError("the csv module reads other records")
    return [n.strip().lower() for n in found[0][2]] if found else [], found[1:]


# ---------------------------------------------------------------- values

def timestamp(text):
    """microseconds since 1970; None for what is no time, or has more digits"""
    m = ISO.match(text)
    if not m:
        return None
    year, month, day, hour, minute, second = (int(g) for g in m.groups()[:6])
    fraction, zone = (m.group(7) or "").ljust(6, "0"), m.group(8) or "Z"
    if fraction[6:].strip("0"):
        return None
    try:
        time = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    offset = 0 if zone == "Z" else (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 60 + int(zone[-2:]))
    return (time - timedelta(minutes=offset) - EPOCH) // timedelta(microseconds=1) + int(fraction[:6])


def value(text, kind):
    """the typed value; None for what does not fit"""
    if kind == "text":
        return text
    if kind == "integer":
        return int(text) if re.fullmatch(r"-?(0|[1-9]\d*)", text) and -2**63 <= int(text) < 2**63 else None
    if kind == "double":
        return float(text) if re.fullmatch(r"-?(\d+(\.\d+)?([eE][+-]?\d+)?)", text) else None
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    return timestamp(text)


def infer(texts):
    """the type of a column's values that are not empty"""
    if all(re.fullmatch(r"-?(0|[1-9]\d*)", t) and -2**63 <= int(t) < 2**63 for t in texts):
        return "integer"
    number = r"-?(0|[1-9]\d*)"
    if all(re.fullmatch(number + r"(\.\d+)?([eE][+-]?\d+)?", t) for t in texts):
        return "double"
    if all(t.lower() in ("true", "false") for t in texts):
        return "boolean"
    return "timestamp" if all(timestamp(t) is not None for t in texts) else "text"


# ---------------------------------------------------------------- ids

def length(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def digest(data, key):
    return (hmac.new(key, data, "sha256") if key else hashlib.sha256(data)).digest()[:16]


def event_id(pairs, key):
    out = b""
    for name, text in sorted((n.encode(), t.encode()) for n, t in pairs if t):
        out += length(len(name)) + name + length(len(text)) + text
    return digest(out, key)


# ---------------------------------------------------------------- the table

class Table:
    """rows and columns as batch after batch brings them"""

    def __init__(self, kept):
        self.kept, self.columns, self.rows, self.quarantine, self.ids, self.duplicates = kept, {}, [], [], set(), 0

    def add(self, files, ingest_ts):
        """one batch: key, bytes and range of every file, whose customer the path tells or not"""
        met = set()
        for key, data, start, end, customer in files:
            self._add(key, data[:end], start, customer, ingest_ts, met)
        # A column without a value is none.
        self.columns = {n: c for n, c in self.columns.items() if n in met or c["old"]}
        for c in self.columns.values():
            c["old"] = True

    def _add(self, key, data, start, customer, ingest_ts, met):
        kept = self.kept
        names, found = read_file(data, kept.separator)
        time_column = kept.event_time or ("event_time" if "event_time" in names else "timestamp" if "timestamp" in names else None)
        sound = [(s, e, f) for s, e, f in found if len(f) == len(names)]
        self._learn(names, sound, start, time_column)
        counts = {}
        for s, e, fields in found:
            if len(fields) != len(names):
                if e >= start:
                    raw = "***" if kept.masks else data[s:e].decode()
                    self.quarantine.append(dict(source=key, source_offset=s, length=e - s, reason="ragged_record", raw=raw, raw_encoding=None, ingest_ts=ingest_ts,
                                                date=day(ingest_ts)))
                continue
            texts = dict(zip(names, fields))
            owner = texts.pop(kept.customer, "") or customer or ""
            pairs = [("customer", owner), *((n, t) for n, t in texts.items() if n not in kept.exclude)]
            id_ = event_id(pairs, kept.key)
            ordinal = counts.get(id_, 0)
            counts[id_] = ordinal + 1
            if ordinal:
                id_ = digest(id_ + ordinal.to_bytes(8, "big"), kept.key)
            if e < start:                                              # one that ended without a newline may have gone on
                continue
            if id_ in self.ids:
                self.duplicates += 1
                continue
            self.ids.add(id_)
            self.rows.append(self._row(texts, owner, id_, key, s, ingest_ts, time_column, met))

    def _learn(self, names, found, start, time_column):
        """the types of columns that are new"""
        sample = [f for s, e, f in found[:SAMPLE_RECORDS]]
        for i, name in enumerate(names):
            if name == self.kept.customer or name in self.columns or self.kept.masks.get(name) == "drop":
                continue
            texts = [f[i] for f in sample if f[i]]
            kind = "text" if name in self.kept.masks else self.kept.types.get(name) or ("timestamp" if name == time_column else infer(texts) if texts else None)
            if kind is None and any(f[i] for _, _, f in found):
                kind = "text"
            if kind:
                self.columns[name] = {"column": name, "kind": kind, "old": False}

    def _row(self, texts, owner, id_, key, offset, ingest_ts, time_column, met):
        row = dict(customer=owner or None, event_id=id_.hex(), source=key, source_offset=offset, ingest_ts=ingest_ts)
        rescued, when = {}, None
        for name, text in texts.items():
            if not text:
                continue
            met.add(name)
            mask = self.kept.masks.get(name)
            if mask == "drop":
                continue
            if mask == "hash":
                text = digest(text.encode(), self.kept.key).hex()
            elif mask:
                text = text[:mask]
            typed = value(text, self.columns[name]["kind"])
            if typed is None:
                rescued[name] = text
            else:
                row[name] = typed
            if name == time_column:
                when = typed
        row["_rescued"] = tuple(sorted(rescued.items())) if rescued else None
        row["date"] = day(ingest_ts if when is None else when)
        return row

    def names(self):
        """the table's columns, by name"""
        return {*OWN, *(c["column"] for c in self.columns.values())}


def day(microseconds):
    return microseconds // 86_400_000_000
