"""A Delta table read by five readers, in one canonical form; deltalake, polars, duckdb and chdb share no code.

    read("deltalake" | "polars" | "duckdb" | "chdb" | "pyarrow", table_dir, columns=None) -> pyarrow.Table, columns in the Delta schema's order

Canonical: timestamps are timestamp[us, UTC], dates date32, strings string, maps list of (key, value) pairs as stored,
so that canonical values of two engines are equal exactly when the data is.
"""
import json, os, urllib.parse
import pyarrow as pa, pyarrow.compute as pc, pyarrow.fs, pyarrow.parquet as pq

ENGINES = ("deltalake", "polars", "duckdb", "chdb")
PRIMITIVES = {"string": pa.string(), "long": pa.int64(), "integer": pa.int32(), "short": pa.int16(), "byte": pa.int8(), "float": pa.float32(),
              "double": pa.float64(), "boolean": pa.bool_(), "binary": pa.binary(), "date": pa.date32(), "timestamp": pa.timestamp("us", "UTC"),
              "timestamp_ntz": pa.timestamp("us")}


def arrow_type(t):
    """Arrow's type for a type of the Delta schema"""
    if isinstance(t, str):
        if t.startswith("decimal"):
            p, s = t[8:-1].split(",")
            return pa.decimal128(int(p), int(s))
        return PRIMITIVES[t]
    if t["type"] == "struct":
        return pa.struct([(f["name"], arrow_type(f["type"])) for f in t["fields"]])
    if t["type"] == "array":
        return pa.list_(arrow_type(t["elementType"]))
    if t["type"] == "map":
        return pa.list_(pa.struct([("key", arrow_type(t["keyType"])), ("value", arrow_type(t["valueType"]))]))
    raise ValueError(f"type {t}")


class Log:
    """the state of a Delta log, from its own replay: metaData, protocol, and the live add actions by path"""

    def __init__(self, table):
        self.table, folder = table, os.path.join(table, "_delta_log")
        names = sorted(os.listdir(folder))
        self.adds, self.metadata, self.protocol, self.version = {}, None, None, -1
        checkpoint = os.path.join(folder, "_last_checkpoint")
        if os.path.exists(checkpoint):
            with open(checkpoint) as f:
                at = json.load(f)["version"]
            for name in names:
                if name.startswith(f"{at:020}.checkpoint") and name.endswith(".parquet"):
                    for action in pq.read_table(os.path.join(folder, name)).to_pylist(maps_as_pydicts="strict"):
                        self.apply(action)
            self.version = at
        for name in names:
            if name.endswith(".json") and name[:20].isdigit() and len(name) == 25 and int(name[:20]) > self.version:
                if int(name[:20]) != self.version + 1:
                    raise ValueError(f"{folder}: version {self.version + 1} is missing")
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    for line in f:
                        if line.strip():
                            self.apply(json.loads(line))
                self.version = int(name[:20])
        self.schema = json.loads(self.metadata["schemaString"])
        self.fields = {f["name"]: f for f in self.schema["fields"]}
        self.partitions = list(self.metadata["partitionColumns"])

    def apply(self, action):
        if a := action.get("add"):
            self.adds[a["path"]] = a
        if a := action.get("remove"):
            self.adds.pop(a["path"], None)
        self.metadata = action.get("metaData") or self.metadata
        self.protocol = action.get("protocol") or self.protocol

    def file(self, path):
        return path if "://" in path else os.path.join(self.table, urllib.parse.unquote(path))

    def arrow_type(self, column):
        return arrow_type(self.fields[column]["type"])

    def arrow_schema(self):
        return pa.schema([(f["name"], arrow_type(f["type"])) for f in self.schema["fields"]])


def canonical_array(a, t):
    """array `a` of any layout an engine chose, as type `t`"""
    if isinstance(a, pa.ChunkedArray):
        return pa.chunked_array([canonical_array(c, t) for c in a.chunks], type=t)
    if pa.types.is_dictionary(a.type):
        a = a.dictionary_decode()
    if a.type == t:
        return a
    if pa.types.is_list(t) and (pa.types.is_list(a.type) or pa.types.is_large_list(a.type) or pa.types.is_map(a.type)):
        if pa.types.is_map(a.type):                                    # same layout: offsets, validity, entries
            entries = pa.StructArray.from_arrays([a.keys, a.items], names=["key", "value"])
            a = pa.ListArray.from_arrays(pc.fill_null(pc.cast(a.offsets, pa.int32()), 0), entries, mask=a.is_null()) if a.offset == 0 else \
                canonical_array(pa.concat_arrays([a]), t)
        values, offsets = a.flatten(), None
        lengths = pc.fill_null(pc.list_value_length(a), 0)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cast(pc.cumulative_sum(lengths), pa.int32())]) if len(a) else pa.array([0], pa.int32())
        return pa.ListArray.from_arrays(offsets, canonical_array(values, t.value_type), type=t, mask=a.is_null() if a.null_count else None)
    if pa.types.is_struct(t):
        names = [f.name for f in a.type]
        if names != [f.name for f in t] and set(names) != {f.name for f in t}:
            raise TypeError(f"struct fields {names}, not {[f.name for f in t]}")
        return pa.StructArray.from_arrays([canonical_array(pc.struct_field(a, names.index(f.name)), f.type) for f in t], fields=list(t),
                                          mask=a.is_null() if a.null_count else None)
    if pa.types.is_timestamp(t) and pa.types.is_timestamp(a.type):
        return pc.cast(pc.cast(a, pa.timestamp("us", a.type.tz)), t) if a.type.tz else pc.cast(a, pa.timestamp("us")).view(t)
    if pa.types.is_date(t) and pa.types.is_unsigned_integer(a.type):
        return pc.cast(a, pa.int32()).view(t)
    return pc.cast(a, t)                                               # checked: an inexact cast raises


def canonical(arrow, log, columns):
    return pa.table({c: canonical_array(arrow.column(c), log.arrow_type(c)) for c in columns})


# ---------------------------------------------------------------- the readers; `where` is a test (column, op, value) or None

def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def duckdb_source(table, con):
    from deltalake import DeltaTable
    log = Log(table)
    files = [u.removeprefix("file://") for u in DeltaTable(table).file_uris()]
    files = [urllib.parse.unquote(f) if not os.path.exists(f) else f for f in files]
    names = {"string": "VARCHAR", "date": "DATE", "long": "BIGINT", "integer": "INTEGER", "timestamp": "TIMESTAMPTZ", "boolean": "BOOLEAN", "short": "SMALLINT",
             "byte": "TINYINT", "double": "DOUBLE", "float": "FLOAT"}
    hive = ", ".join(f"{sql_text(c)}: {names[log.fields[c]['type']]}" for c in log.partitions)
    how = f", hive_partitioning = true, hive_types = {{{hive}}}" if hive else ", hive_partitioning = false"
    return f"read_parquet([{', '.join(sql_text(f) for f in files)}], union_by_name = true{how})", bool(files)


def sql_text(s):
    return "'" + s.replace("'", "''") + "'"


def read(engine, table, columns=None):
    log = Log(table)
    columns = list(log.fields if columns is None else columns)
    return canonical(globals()["_" + engine](table, columns), log, columns)


def _deltalake(table, columns):
    from deltalake import DeltaTable
    return DeltaTable(table).to_pyarrow_table(columns=columns)


def _pyarrow(table, columns):
    """Arrow's own Parquet reader over the files of our replay, with no Delta reader between"""
    import functools, operator
    import pyarrow.dataset as ds
    log, local, parquet = Log(table), pa.fs.LocalFileSystem(), ds.ParquetFileFormat()

    def file_type(t):
        return pa.map_(pa.string(), pa.string()) if not isinstance(t, str) and t["type"] == "map" else arrow_type(t)

    def partition(add):
        tests = [ds.field(c) == pa.scalar(add["partitionValues"][c], pa.string()).cast(log.arrow_type(c)) for c in log.partitions]
        return functools.reduce(operator.and_, tests) if tests else None

    files = [parquet.make_fragment(log.file(path), local, partition_expression=partition(add)) for path, add in log.adds.items()]
    schema = pa.schema([(c, file_type(f["type"])) for c, f in log.fields.items()])
    return ds.FileSystemDataset(files, schema, parquet, local).to_table(columns=columns)


def _polars(table, columns):
    import polars as pl
    return pl.scan_delta(table).select(columns).collect().to_arrow()


def _duckdb(table, columns):
    import duckdb
    log = Log(table)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET preserve_insertion_order = false")
        source, some = duckdb_source(table, con)
        if not some:
            return log.arrow_schema().empty_table().select(columns)
        return con.sql(f"SELECT {', '.join(map(quoted, columns))} FROM {source}").to_arrow_table()


def chdb_query(sql):
    import chdb
    here = os.getcwd()
    os.chdir("/")                                                      # chDB reads files below its working folder only
    try:
        return chdb.query(sql, "ArrowTable")
    finally:
        os.chdir(here)


def chdb_source(table):
    return "deltaLakeLocal(" + "'" + os.path.abspath(table).replace("\\", "\\\\").replace("'", "\\'") + "'" + ")"


def _chdb(table, columns):
    names = ", ".join("`" + c.replace("\\", "\\\\").replace("`", "\\`") + "`" for c in columns)
    return chdb_query(f"SELECT {names} FROM {chdb_source(table)}")
