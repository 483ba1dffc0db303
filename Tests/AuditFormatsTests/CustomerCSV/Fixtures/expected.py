#!/usr/bin/env python3
"""Writes expected.json: random CSV files, and the rows that they become by a second reading with Python's own csv module.

    expected.py > expected.json        # the same each time

Nothing here is taken from the code under test; the rules are those of Documentation/CustomerCSV.md.
"""
import csv, datetime, hashlib, hmac, io, json, random, re

OWN = ["customer", "event_id", "_rescued", "source", "source_offset", "ingest_ts", "date", "null"]
INGEST_DAY = 20_778  # 2026-11-21
DAY = 86_400_000_000
NAMES = ["event_time", "timestamp", "Customer_ID", "user", "Action", " status ", "n", "ratio", "ok", "details", "",
         "user", "Source", "event-id", "Date", "customer", "größe", "user_2"]
VALUES = {
    "text": ["a", "x\"y", "a,b;c|d\te", "line\nbreak", "cr\r\nlf", " blank ", "ünï ✅ 太郎", "\"\"", "'", "NULL", "\\N", "-"],
    "integer": ["0", "1", "-7", "9223372036854775807", "-9223372036854775808", "42"],
    "double": ["1.5", "2e3", "-0.25", "1E-7", "3", "123456789.123456789", "1.7976931348623157e308", "0.1"],
    "boolean": ["true", "FALSE", "True", "false"],
    "timestamp": ["2026-11-21T10:00:00Z", "2026-11-20 23:59:59.999999-01:00", "2026-11-22T00:00", "2024-02-29T12:30:00.5+0530",
                  "2026-11-21T10:00:00.123456000Z"],
    "odd": ["00123", "9223372036854775808", "+1", "1.", ".5", "1e999", "0x10", "nan", "2026-02-30T10:00:00Z", "2026-11-21",
            "2026-11-21T10:00:00.123456789Z", "2026-11-21T24:00:00Z", "21/11/2026", "yes", "-0", "1,5", "2026-11-21T10:00:00 Z"],
}
STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)


def timestamp(text):
    """Microseconds, whether digits are lost, whether there is a time of day; None when it is no ISO 8601."""
    found = STAMP.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        when = datetime.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    digits = (fraction or "").ljust(9, "0")
    offset = 0
    if zone and zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
        if hours > 23 or minutes > 59:
            return None
        offset = (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)
    delta = when - datetime.datetime(1970, 1, 1) - datetime.timedelta(minutes=offset)
    micros = delta // datetime.timedelta(microseconds=1) + int(digits[:6])
    return micros, digits[6:] != "000", hour is not None


def integer(text):
    if re.fullmatch(r"0|-?[1-9][0-9]*", text) and -2**63 <= int(text) < 2**63:
        return int(text)


def double(text):
    if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", text) and abs(float(text)) != float("inf"):
        return float(text)


def boolean(text):
    return {"true": True, "false": False}.get(text.lower())


def inferred(values):
    """The type of a column by its values that are not empty."""
    if all(integer(v) is not None for v in values):
        return "integer"
    if all(double(v) is not None for v in values):
        return "double"
    if all(boolean(v) is not None for v in values):
        return "boolean"
    times = [timestamp(v) for v in values]
    return "timestamp" if all(t and not t[1] and t[2] for t in times) else "text"


def read(type_, text):
    """The value of a column as [kind, value]; None when the text is none."""
    if type_ == "text":
        return ["text", text]
    if type_ == "timestamp":
        time = timestamp(text)
        return ["number", time[0]] if time and not time[1] else None
    value = {"integer": integer, "double": double, "boolean": boolean}[type_](text)
    return None if value is None else [{"integer": "number", "double": "decimal", "boolean": "flag"}[type_], value]


def length(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def fold(name):
    return "".join(c.lower() if c.isascii() else c for c in name.strip(" \t\n\v\f\r"))


class Table:
    """A table that grows file by file."""

    def __init__(self, settings):
        self.settings, self.columns, self.rows, self.ids, self.counts = settings, [], [], set(), dict.fromkeys(
            ["rows", "duplicates", "quarantine", "rescued", "undated"], 0)

    def hash(self, data):
        key = self.settings.get("maskKey")
        made = hmac.new(key.encode(), data, hashlib.sha256) if key and self.settings["masks"] else hashlib.sha256(data)
        return made.digest()[:16]

    def column(self, name):
        return next((c for c in self.columns if c["name"] == name), None)

    def add(self, name, type_):
        safe = name.replace("-", "_").replace(" ", "%20") or "_"
        taken = {c["column"].lower() for c in self.columns} | set(OWN)
        candidate, number = safe, 2
        while candidate.lower() in taken:
            candidate, number = f"{safe}_{number}", number + 1
        self.columns.append({"name": name, "column": candidate, "type": type_})

    def unique(self, header):
        written = [fold(h) or f"column_{i + 1}" for i, h in enumerate(header)]
        taken, unique = set() if self.settings.get("customer") == "customer" else {"customer"}, []
        for name in written:
            candidate, number = name, 2
            while candidate in taken or (candidate != name and candidate in written):
                candidate, number = f"{name}_{number}", number + 1
            taken.add(candidate)
            unique.append(candidate)
        return written, unique

    def load(self, text, path_customer, source, separator):
        records = [r for r in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=separator, strict=True) if r]
        written, unique = self.unique(records[0])
        masks, declared = self.settings["masks"], self.settings["declared"]
        customer_at = written.index(self.settings["customer"]) if self.settings.get("customer") in written else None
        mask = [masks.get(n) for n in written]
        time_at = next((written.index(n) for n in ("event_time", "timestamp") if n in written), None)
        if time_at is not None and mask[time_at]:
            time_at = None
        sound = [r for r in records[1:] if len(r) == len(unique)]
        self.counts["quarantine"] += len(records) - 1 - len(sound)
        for at, name in enumerate(unique):
            values = [r[at] for r in sound if r[at]]
            if at == customer_at or mask[at] == "drop" or not values or self.column(name):
                continue
            type_ = "text" if mask[at] else "timestamp" if at == time_at else declared.get(written[at]) or inferred(values)
            self.add(name, type_)
        seen = {}
        for record in sound:
            customer = (record[customer_at] if customer_at is not None else "") or path_customer or ""
            pairs = {n: v for i, (n, v) in enumerate(zip(unique, record)) if i != customer_at and written[i] not in self.settings["excluded"]}
            pairs["customer"] = customer
            data = b"".join(length(len(part)) + part
                            for name, value in sorted((n.encode(), v.encode()) for n, v in pairs.items()) if value
                            for part in (name, value))
            first = self.hash(data)
            number = seen[first] = seen.get(first, -1) + 1
            id_ = self.hash(first + number.to_bytes(8, "big")) if number else first
            time = timestamp(record[time_at]) if time_at is not None else None
            day = time[0] // DAY if time else None
            if (day, id_) in self.ids:
                self.counts["duplicates"] += 1
                continue
            self.ids.add((day, id_))
            self.counts["rows"] += 1
            self.counts["undated"] += time is None
            row = {"event_id": ["text", id_.hex()], "source": ["text", source]}
            if customer:
                row["customer"] = ["text", customer]
            rescued = {}
            for at, name in enumerate(unique):
                text_ = record[at]
                if not text_ or at == customer_at or mask[at] == "drop":
                    continue
                column = self.column(name)
                if mask[at] == "hash":
                    row[column["column"]] = ["text", self.hash(text_.encode()).hex()]
                    continue
                if mask[at]:
                    row[column["column"]] = ["text", text_[:mask[at]]]
                    continue
                value = read(column["type"], text_)
                if at == time_at and time and column["type"] == "timestamp":
                    value = ["number", time[0]]
                    if time[1]:
                        rescued[column["column"]] = text_
                elif value is None:
                    rescued[column["column"]] = text_
                if value is not None:
                    row[column["column"]] = value
            self.counts["rescued"] += len(rescued)
            self.rows.append({"day": INGEST_DAY if day is None else day, "values": row, "rescued": rescued})


def field(rng, text, separator):
    if not text and rng.random() < 0.8:
        return ""
    if rng.random() < 0.2 or any(c in text for c in separator + "\r\n") or text.startswith('"'):
        return '"' + text.replace('"', '""') + '"'
    return text


def make_file(rng, themes):
    separator, end = rng.choice(",,,;\t|"), rng.choice(["\n", "\n", "\r\n", "\r"])
    header = rng.sample(NAMES, rng.randint(3, 12))
    if not any(fold(h) for h in header):
        header.append("n")
    lines = []
    for number in range(rng.randint(0, 25)):
        record = []
        for name in header:
            theme = themes.setdefault(fold(name), rng.choice(list(VALUES)))
            if name in ("event_time", "timestamp"):
                theme = "timestamp"
            if rng.random() < 0.05:
                theme = "odd"
            record.append(rng.choice([""] + VALUES[theme] * 2))
        if not any(record):
            continue
        lines.append(separator.join(field(rng, v, separator) for v in record))
        if rng.random() < 0.15:
            lines.append(lines[-1])
        if rng.random() < 0.05:
            lines.append("")
        if rng.random() < 0.05:
            lines.append(lines[-1] + separator + "more") if lines[-1] else None
    # Names stand in quotes when a separator of any kind is about, so that the one that counts is the most frequent.
    text = rng.choice(["", "", "\ufeff"]) + separator.join(field(rng, h, ",;|\t") for h in header) + end
    text += "".join(line + end for line in lines)
    return (text[:-len(end)] if rng.random() < 0.3 and lines and lines[-1] else text), separator


def main():
    rng, cases = random.Random(20261121), []
    for number in range(24):
        settings = {"customer": rng.choice([None, "customer_id", "customer"]), "excluded": rng.choice([[], ["n"], ["event_time", "user"]]),
                    "declared": rng.choice([{}, {"n": "text"}, {"n": "integer", "ok": "boolean"}]),
                    "masks": rng.choice([{}, {}, {"user": "hash", "details": "drop", "status": 2}]), "maskKey": "key of masks"}
        table, files, themes = Table(settings), [], {}
        for index in range(rng.randint(1, 4)):
            text, separator = make_file(rng, themes)
            if files and rng.random() < 0.3:
                text, separator = files[0]["text"], files[0]["separator"]
            file = {"text": text, "separator": separator, "source": f"{number}-{index}.csv", "customer": rng.choice([None, "acme", "größe"])}
            files.append(file)
            table.load(text, file["customer"], file["source"], separator)
        cases.append({"settings": settings, "files": files, "columns": table.columns, "rows": table.rows, "counts": table.counts})
    print(json.dumps(cases, separators=(",", ":")))


main()
