#!/usr/bin/env python3
"""readers.py TABLE_DIR... [--engines deltalake,polars,duckdb,chdb] [--quick] [--cut-milliseconds] [--show N]

Outside truth about any Delta table: do readers that share no code see the same table, and may they trust its statistics?

1. files       every live file is there with the size the log says, its columns have the schema's types (timestamps UTC microseconds), no partition
               column inside, strings are valid UTF-8, no NULL in a not-null column; the log's statistics hold against the data: numRecords and
               nullCount exact, minValues <= every value <= maxValues (strings by bytes); also Parquet's own per row group. Delta allows a writer to cut a
               greatest time to milliseconds, so that it is below the value; auditlake must not, --cut-milliseconds allows it (delta-rs's own tables).
2. contents    deltalake (delta-rs), Polars, DuckDB (read_parquet over the live files, partition columns typed) and chDB (ClickHouse's deltaLakeLocal)
               read every column alike: whole rows without regard to their order, with maps, structs, NULLs and times before 1970.
               ClickHouse has neither NULL maps nor NULL structs; against chDB alone those equal an empty map and a struct of NULLs.
3. pruning     for every column of a plain type, filters (=, <, <=, >, >=, IS NULL, IS NOT NULL) with the least, greatest and middle value, values outside,
               long strings cut, and every file's own least and greatest (of up to 4 files) find in each engine as many rows as the same test over the whole table
               in memory; delta-rs both ways: pyarrow's dataset and DataFusion. --quick takes fewer values.

Exit status 1 when anything differs, with the differences on standard output.
"""
import argparse, datetime, hashlib, json, math, operator, os, sys, warnings
from collections import Counter
import pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import engines
from engines import Log, canonical_array

OPS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
EPOCH = datetime.datetime(1970, 1, 1)


class Report:
    def __init__(self, show):
        self.show, self.problems, self.shown = show, 0, Counter()

    def problem(self, kind, text):
        self.problems += 1
        self.shown[kind] += 1
        if self.shown[kind] <= self.show:
            print(f"{kind}: {text}")
        elif self.shown[kind] == self.show + 1:
            print(f"{kind}: ... and more")


# ---------------------------------------------------------------- values

def is_map(t):
    return pa.types.is_list(t) and pa.types.is_struct(t.value_type) and [f.name for f in t.value_type] == ["key", "value"]


def value(x, t):
    """hashable and comparable, independent of the order in a map"""
    if x is None:
        return None
    if is_map(t):
        return tuple(sorted(((e["key"], value(e["value"], t.value_type.field("value").type)) for e in x), key=repr))
    if pa.types.is_list(t):
        return tuple(value(e, t.value_type) for e in x)
    if pa.types.is_struct(t):
        return tuple(value(x[f.name], f.type) for f in t)
    return x


def values(column):
    t = column.type
    if pa.types.is_timestamp(t):
        return column.cast(pa.int64()).to_pylist() if isinstance(column, pa.ChunkedArray) else column.view(pa.int64()).to_pylist()
    xs = column.to_pylist()
    return [value(x, t) for x in xs] if pa.types.is_nested(t) else xs


def folded(xs, t):
    """NULL maps as empty maps and NULL structs as structs of NULLs: ClickHouse knows no other"""
    if pa.types.is_list(t):
        return [() if x is None else x for x in xs]
    if pa.types.is_struct(t):
        return [(None,) * t.num_fields if x is None else x for x in xs]
    return xs


def digest(x):
    return hashlib.blake2b(repr(x).encode("utf-8", "surrogatepass"), digest_size=12).digest()


def contents(table, fold):
    """multisets of rows and of each column's values, as digests"""
    rows, columns = Counter(), {c: Counter() for c in table.column_names}
    for batch in table.to_batches(max_chunksize=65536):
        cols = [values(batch.column(c)) for c in batch.schema.names]
        if fold:
            cols = [folded(xs, f.type) for xs, f in zip(cols, batch.schema)]
        for name, xs in zip(batch.schema.names, cols):
            columns[name].update(map(digest, xs))
        rows.update(map(digest, zip(*cols)))
    return rows, columns


def only(table, column, digests, fold, n=3):
    """up to n values of a column whose digests are wanted"""
    found = []
    for batch in table.to_batches(max_chunksize=65536):
        xs = values(batch.column(column))
        for x in folded(xs, batch.schema.field(column).type) if fold else xs:
            if digest(x) in digests and x not in found:
                found.append(x)
                if len(found) == n:
                    return found
    return found


# ---------------------------------------------------------------- 1. files and their statistics

def leaves(schema_fields, prefix=()):
    """(path, type) of every primitive leaf that is not below a map or array"""
    for f in schema_fields:
        t = f["type"]
        if isinstance(t, dict) and t["type"] == "struct":
            yield from leaves(t["fields"], prefix + (f["name"],))
        elif isinstance(t, str):
            yield prefix + (f["name"],), t


def dig(stats, path):
    for p in path:
        if not isinstance(stats, dict) or p not in stats:
            return None
        stats = stats[p]
    return stats


def stat_value(x, t):
    """a value of the log's statistics in the form of values(): microseconds for timestamps"""
    if x is None:
        return None
    if t in ("timestamp", "timestamp_ntz"):
        text = x.replace("Z", "+00:00")
        d = datetime.datetime.fromisoformat(text)
        d = d.astimezone(datetime.timezone.utc).replace(tzinfo=None) if d.tzinfo else d
        return (d - EPOCH) // datetime.timedelta(microseconds=1)
    if t == "date":
        return datetime.date.fromisoformat(x)
    if t.startswith("decimal"):
        import decimal
        return decimal.Decimal(str(x))
    if t in ("double", "float"):
        return float(x)
    return x


def partition_value(x, t):
    if x is None or x == "":
        return None
    if t in ("long", "integer", "short", "byte"):
        return int(x)
    return {"true": True, "false": False}[x] if t == "boolean" else stat_value(x, t) if t != "string" else x


def leaf(column, path):
    for p in path[1:]:
        column = pc.struct_field(column, p)
    return column


def bounds(column, t):
    """(least, greatest) of the values, NULL and NaN apart; strings and binary by bytes"""
    xs = [x for x in values(column) if x is not None and not (isinstance(x, float) and math.isnan(x))]
    return (min(xs), max(xs)) if xs else (None, None)


def check_files(log, report, per_file, cut_milliseconds):
    rows = 0
    for path, add in sorted(log.adds.items()):
        name = log.file(path)
        if not os.path.exists(name):
            report.problem("file", f"{path}: is not there")
            continue
        if os.path.getsize(name) != add["size"]:
            report.problem("file", f"{path}: size {os.path.getsize(name)}, the log says {add['size']}")
        if set(add["partitionValues"]) != set(log.partitions):
            report.problem("file", f"{path}: partitionValues {add['partitionValues']}")
        f = pq.ParquetFile(name)
        data = f.read()
        try:
            data.validate(full=True)
        except pa.ArrowInvalid as e:
            report.problem("file", f"{path}: {e}")
            continue
        for c in data.column_names:
            if c not in log.fields:
                report.problem("file", f"{path}: column {c!r} is not in the schema")
            if c in log.partitions:
                report.problem("file", f"{path}: the partition column {c!r} stands in the file")
        for i in range(len(f.schema)):
            column = f.schema.column(i)
            if column.logical_type.type == "TIMESTAMP":
                kind = json.loads(column.logical_type.to_json())
                if kind.get("timeUnit") != "microseconds" or not kind.get("isAdjustedToUTC"):
                    if dict(leaves(log.schema["fields"])).get(tuple(column.path.split("."))) == "timestamp":
                        report.problem("file", f"{path}: {column.path} is {kind}")
            elif column.physical_type == "INT96":
                report.problem("file", f"{path}: {column.path} is INT96")
        n = data.num_rows
        rows += n
        columns = {}
        for c, field in log.fields.items():
            if c in log.partitions:
                x = partition_value(add["partitionValues"].get(c), field["type"])
                per_file.setdefault(c, []).append((x, x))
                continue
            if c in data.column_names:
                try:
                    columns[c] = canonical_array(data.column(c), log.arrow_type(c))
                except (TypeError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as e:
                    report.problem("file", f"{path}: {c}: {e}")
                    continue
            else:
                columns[c] = pa.chunked_array([pa.nulls(n, log.arrow_type(c))])
            if not field["nullable"] and columns[c].null_count:
                report.problem("file", f"{path}: {c}: {columns[c].null_count} NULL in a not-null column")
        stats = json.loads(add["stats"]) if add.get("stats") else None
        if stats is None:
            report.problem("statistics", f"{path}: none")
            stats = {}
        if stats.get("numRecords") != n:
            report.problem("statistics", f"{path}: numRecords {stats.get('numRecords')}, the file has {n}")
        known = {p for p, _ in leaves(log.schema["fields"])}
        for kind in ("minValues", "maxValues", "nullCount"):
            for p in walk(stats.get(kind) or {}):
                if p not in known and kind != "nullCount" or p[0] not in log.fields or p[0] in log.partitions:
                    report.problem("statistics", f"{path}: {kind} of {'.'.join(p)}, which can have none")
        for p, t in leaves(log.schema["fields"]):
            if p[0] not in columns:
                continue
            column = leaf(columns[p[0]], p)
            nulls, what = dig(stats.get("nullCount"), p), ".".join(p)
            if nulls is not None and nulls != column.null_count:
                report.problem("statistics", f"{path}: nullCount of {what} {nulls}, the file has {column.null_count}")
            least, greatest = bounds(column, t)
            per_file.setdefault(what, []).append((least, greatest))
            low, high = stat_value(dig(stats.get("minValues"), p), t), stat_value(dig(stats.get("maxValues"), p), t)
            if low is not None and least is not None and not low <= least:
                report.problem("statistics", f"{path}: minValues of {what} {low!r} > {least!r}")
            slack = 999 if cut_milliseconds and t == "timestamp" else 0
            if high is not None and greatest is not None and not (high + slack if slack else high) >= greatest:
                report.problem("statistics", f"{path}: maxValues of {what} {high!r} < {greatest!r}")
        for p in walk(stats.get("nullCount") or {}):                   # maps and arrays may have one too
            if p not in known and p[0] in columns and len(p) == 1 and stats["nullCount"][p[0]] != columns[p[0]].null_count:
                report.problem("statistics", f"{path}: nullCount of {p[0]} {stats['nullCount'][p[0]]}, the file has {columns[p[0]].null_count}")
        check_row_groups(path, f, log, report)
    return rows


def walk(stats, prefix=()):
    for k, v in stats.items():
        if isinstance(v, dict):
            yield from walk(v, prefix + (k,))
        else:
            yield prefix + (k,)


def check_row_groups(path, f, log, report):
    known = dict(leaves(log.schema["fields"]))
    for g in range(f.metadata.num_row_groups):
        group, data = f.metadata.row_group(g), None
        for i in range(group.num_columns):
            chunk = group.column(i)
            p = tuple(chunk.path_in_schema.split("."))
            if p not in known or not chunk.is_stats_set:
                continue
            data = data or f.read_row_group(g)
            column = canonical_array(leaf(data.column(p[0]), p), engines.arrow_type(known[p]))
            s, what = chunk.statistics, f"{path}: row group {g}: {chunk.path_in_schema}"
            if s.has_null_count and s.null_count != column.null_count:
                report.problem("row group", f"{what}: null count {s.null_count}, there are {column.null_count}")
            least, greatest = bounds(column, known[p])
            if not s.has_min_max or least is None:
                continue
            low, high = s.min, s.max
            if known[p] in ("timestamp", "timestamp_ntz"):
                low, high = ((x.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1) for x in (low, high))
            if known[p] == "string":
                low, high, least, greatest = ((x.encode() if isinstance(x, str) else x) for x in (low, high, least, greatest))
            if not (low <= least and greatest <= high):
                report.problem("row group", f"{what}: {low!r} .. {high!r}, the values are {least!r} .. {greatest!r}")


# ---------------------------------------------------------------- 3. pruning

CH_RANGE = {"date": (datetime.date(1900, 1, 1), datetime.date(2299, 12, 31)), "timestamp": (-2208988800_000000, 10413791999_999999)}


def chosen(column, t, files, quick):
    """the values to filter by"""
    xs = sorted({x for x in values(column) if x is not None and not (isinstance(x, float) and math.isnan(x))})
    if not xs:
        return {"string": ["x"], "boolean": [True], "date": [datetime.date(2000, 1, 1)]}.get(t, [0])
    out = [xs[0], xs[-1], xs[len(xs) // 2]]
    if t == "string":
        long = max(xs, key=len)
        out += ["", xs[-1] + "\U0010ffff", long, long[:32], long[:31], long[:32] + "\U0010ffff"]
    elif t == "date":
        day = datetime.timedelta(days=1)
        out += [x for x in (xs[0] - day, xs[-1] + day) if x.year > 1]
    elif t == "timestamp":
        out += [xs[0] - 1, xs[-1] + 1, xs[-1] // 1000 * 1000]
    elif t in ("long", "integer", "short", "byte"):
        least, greatest = {"long": 63, "integer": 31, "short": 15, "byte": 7}[t], 0
        out += [x for x in (xs[0] - 1, xs[-1] + 1) if -(1 << least) <= x < (1 << least)]
    elif t in ("double", "float"):
        out += [x for x in (xs[0] - 1, xs[-1] + 1) if math.isfinite(x)]
    step = max(1, len(files) // 4)
    for least, greatest in ([] if quick else files[::step][:4]):
        out += [x for x in (least, greatest) if x is not None]
    unique = list(dict.fromkeys(out))
    return unique[:4] if quick else unique


def ch_name(name):
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def ch_literal(x, t):
    if t == "timestamp":
        return f"fromUnixTimestamp64Micro(toInt64('{x}'), 'UTC')"
    if t == "date":
        return f"toDate32('{x}')"
    if t == "boolean":
        return str(x).lower()
    if t == "string":
        return "'" + x.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0") + "'"
    return f"toInt64('{x}')" if isinstance(x, int) else f"toFloat64('{x!r}')"


class Filters:
    """count rows where column op value, by each engine's own filtered scan"""

    def __init__(self, table, log, names):
        self.table, self.log = table, log
        import duckdb, polars as pl
        from deltalake import DeltaTable, QueryBuilder
        self.dt = DeltaTable(table)
        self.dataset = self.dt.to_pyarrow_dataset()
        self.sql = QueryBuilder().register("t", self.dt)
        self.lazy = pl.scan_delta(table)
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.source, self.some = engines.duckdb_source(table, self.con)
        self.names = [n for n in ("deltalake", "datafusion", "polars", "duckdb", "chdb") if n in names or n == "datafusion" and "deltalake" in names]

    def able(self, x, t):
        """the engines that know the value: ClickHouse's times go from 1900 to 2299"""
        return [n for n in self.names if n != "chdb" or t not in CH_RANGE or x is None or CH_RANGE[t][0] <= x <= CH_RANGE[t][1]]

    def deltalake(self, column, op, x, t):
        field = pc.field(column)
        if x is None:
            return self.dataset.count_rows(filter=field.is_null() if op == "IS NULL" else ~field.is_null())
        return self.dataset.count_rows(filter=OPS[op](field, pa.scalar(x, engines.arrow_type(t))))

    def datafusion(self, column, op, x, t):
        literal = "" if x is None else engines.sql_text(x) if t == "string" else \
            f"arrow_cast({x}, 'Timestamp(Microsecond, Some(\"UTC\"))')" if t == "timestamp" else f"DATE '{x}'" if t == "date" else f"arrow_cast('{x}', 'Int64')" if t == "long" else \
            f"CAST('{x!r}' AS DOUBLE)" if t in ("double", "float") else str(x)
        rows = pa.table(self.sql.execute(f"SELECT count(*) AS n FROM t WHERE {engines.quoted(column)} {op} {literal}"))
        return rows.column("n")[0].as_py()

    def polars(self, column, op, x, t):
        import polars as pl
        field = pl.col(column)
        if x is None:
            test = field.is_null() if op == "IS NULL" else field.is_not_null()
        else:
            test = OPS[op](field, pl.lit(x).cast(pl.Datetime("us", "UTC")) if t == "timestamp" else pl.lit(x))
        return self.lazy.filter(test).select(pl.len()).collect().item()

    def duckdb(self, column, op, x, t):
        if not self.some:
            return 0
        right = "" if x is None else "make_timestamptz(?::BIGINT)" if t == "timestamp" else "?"
        return self.con.execute(f"SELECT count(*) FROM {self.source} WHERE {engines.quoted(column)} {op} {right}", [] if x is None else [x]).fetchone()[0]

    def chdb(self, column, op, x, t):
        test = f"{ch_name(column)} {op} {'' if x is None else ch_literal(x, t)}"
        return engines.chdb_query(f"SELECT count() AS n FROM {engines.chdb_source(self.table)} WHERE {test}").column("n")[0].as_py()


def check_pruning(table, log, full, report, per_file, names, quick):
    filters, asked = Filters(table, log, names), 0
    for column, field in log.fields.items():
        t = field["type"]
        if t not in ("string", "long", "integer", "short", "byte", "double", "float", "boolean", "date", "timestamp"):
            continue
        data = values(full.column(column))
        some = [x for x in data if x is not None]
        tests = [("IS NULL", None, len(data) - len(some)), ("IS NOT NULL", None, len(some))]
        if not any(isinstance(x, float) and math.isnan(x) for x in some):                # engines order NaN each in its way
            for x in chosen(full.column(column), t, per_file.get(column, []), quick):
                for op in ("=",) if t == "boolean" else ("=", "<=", ">") if quick else OPS:
                    tests.append((op, x, sum(map(OPS[op], some, [x] * len(some)))))
        for op, x, want in tests:
            shown = "" if x is None else repr(x) if len(repr(x)) < 100 else repr(x)[:80] + f"... ({len(x)} characters)"
            for name in filters.able(x, t):
                asked += 1
                try:
                    got = getattr(filters, name)(column, op, x, t)
                except Exception as e:                                 # one reader's refusal is a finding; go on with the others
                    got = f"{type(e).__name__}: {str(e)[:300]}"
                if got != want:
                    report.problem("pruning", f"{name}: {column} {op} {shown}: {got} rows, in memory {want}")
    filters.con.close()
    return asked


# ----------------------------------------------------------------

def check(table, names, quick, cut_milliseconds, report):
    log, per_file = Log(table), {}
    rows = check_files(log, report, per_file, cut_milliseconds)
    print(f"files: {len(log.adds)}, {rows} rows, version {log.version}, {len(log.fields)} columns")
    first = seen = None
    for name in names:
        try:
            got = engines.read(name, table)
        except Exception as e:                                         # one reader's refusal is a finding; go on with the others
            report.problem("contents", f"{name}: {type(e).__name__}: {str(e)[:500]}")
            continue
        fold = name == "chdb"
        if first is None:
            first, full = name, got
            seen = {False: contents(full, False)}
            if got.num_rows != rows:
                report.problem("contents", f"{name}: {got.num_rows} rows, the files have {rows}")
            print(f"contents: {name}: {got.num_rows} rows")
            continue
        if fold not in seen:
            seen[fold] = contents(full, fold)
        mine, theirs = contents(got, fold), seen[fold]
        if got.num_rows != full.num_rows:
            report.problem("contents", f"{name}: {got.num_rows} rows, {first} has {full.num_rows}")
        columns = [c for c in log.fields if mine[1][c] != theirs[1][c]]
        for c in columns:
            extra, missing = mine[1][c] - theirs[1][c], theirs[1][c] - mine[1][c]
            report.problem("contents", f"{c}: {name} has {str(only(got, c, extra, fold))[:400]} where {first} has {str(only(full, c, missing, fold))[:400]}")
        if not columns and mine[0] != theirs[0]:
            report.problem("contents", f"{name}: every column has the values that {first} has, but they stand in other rows")
        print(f"contents: {name}: {got.num_rows} rows, {'alike' if mine[0] == theirs[0] else 'DIFFERENT'}")
    if first is not None:
        print(f"pruning: {check_pruning(table, log, full, report, per_file, names, quick)} filtered scans")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tables", nargs="+", metavar="TABLE_DIR")
    p.add_argument("--engines", default=",".join(engines.ENGINES))
    p.add_argument("--quick", action="store_true", help="fewer filter values")
    p.add_argument("--cut-milliseconds", action="store_true", help="statistics of times may be cut to milliseconds")
    p.add_argument("--show", type=int, default=20, help="differences printed of each kind (20)")
    a = p.parse_args()
    names = a.engines.split(",")
    if set(names) - set(engines.ENGINES):
        p.error(f"engines are {', '.join(engines.ENGINES)}")
    report = Report(a.show)
    for table in a.tables:
        if len(a.tables) > 1:
            print(f"== {table}")
        check(os.path.abspath(table), names, a.quick, a.cut_milliseconds, report)
    print("ok" if not report.problems else f"{report.problems} problems")
    return 1 if report.problems else 0


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
