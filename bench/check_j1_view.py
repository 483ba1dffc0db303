"""check_j1.py's lines for tables of ours, through views that give J1's columns: check_j1_view.py LAKE/main/SCHEMA [--mixed]

The gold tables lie beside it in SCHEMA_gold. Our names are Databricks' own (serviceName, requestParams); J1's parameters are columns
p_<key>, ours are fields of requestParams, which say in their metadata what key they are. --mixed is for input whose numbers are unquoted: we keep 10.530 as it was written, DuckDB makes
10.53 of it, and so does the check.
"""
import os
import sys

import duckdb
from deltalake import DeltaTable

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
from common import KEYS, col
from gen_databricks import SERVICES

# Parameters with decimals.
DECIMALS = sorted({p.split(":")[0] for _, actions in SERVICES.values() for _, ps in actions.values() for p in ps.split() if p.endswith(":F")})

SILVER = """
select version, date_time as event_time, date, workspaceId as workspace_id, sourceIPAddress as source_ip, userAgent as user_agent, sessionId as session_id,
  email, subjectName as subject_name, serviceName as service_name, actionName as action_name, requestId as request_id, {parameters} as request_params,
  response.statusCode as status_code, response.errorMessage as error_message, response.result as result, auditLevel as audit_level
from {files}
"""

BRONZE_CHECK = "count(*), sum(strlen(raw))"
SILVER_CHECK = """
count(*), sum(epoch_ms(event_time::timestamptz)), sum(date - DATE '2026-01-01'), sum(strlen(email)), count(subject_name), sum(strlen(coalesce(result, ''))),
sum(strlen(coalesce(error_message, ''))), sum(status_code), sum(cardinality(request_params)),
sum(list_sum(list_transform(map_values(request_params), lambda x: strlen(x)))), sum(list_sum(list_transform(map_keys(request_params), lambda x: strlen(x)))),
bit_xor(hash(request_id))
"""


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def files(table):
    """DuckDB's source of a table's files; partition values come from their folders."""
    paths = [uri.replace("file://", "") for uri in DeltaTable(table).file_uris()]
    return f"read_parquet({paths!r}, union_by_name = true, hive_partitioning = true, hive_types = {{'date': DATE}})"


def as_duckdb(value, is_mixed):
    """A decimal as DuckDB's JSON reader hands it out."""
    return f"coalesce(try_cast(try_cast({value} as double) as varchar), {value})" if is_mixed else value


def gold(table, service, is_mixed):
    """The query that gives J1's columns of one service; a parameter that never held anything has no field of ours."""
    fields = {f.name: f.type for f in DeltaTable(table).schema().fields}["requestParams"].fields
    ours = {f.metadata.get("auditlake.name", f.name): f.name for f in fields}
    parameters = [
        f"{as_duckdb('requestParams.' + quoted(ours[k]), is_mixed and k in DECIMALS)} as {col(k)}" if k in ours else f"null::varchar as {col(k)}"
        for k in KEYS[service]
    ]
    return f"select email, actionName as action_name, {', '.join(parameters)} from {files(table)}"


def main():
    schema, is_mixed = sys.argv[1].rstrip("/"), "--mixed" in sys.argv
    entry = f"struct_pack(key := e.key, value := case when e.key in {(*DECIMALS, '')!r} then {as_duckdb('e.value', True)} else e.value end)"
    parameters = f"map_from_entries(list_transform(map_entries(requestParams), lambda e: {entry}))" if is_mixed else "requestParams"
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")

    def line(name, columns, source):
        print(name, *connection.execute(f"select {columns} from ({source})").fetchone())

    line("bronze", BRONZE_CHECK, f"from {files(schema + '/bronze')}")
    line("silver", SILVER_CHECK, SILVER.format(files=files(schema + "/silver"), parameters=parameters))
    for service, keys in KEYS.items():
        table = f"{schema}_gold/{service}"
        if not os.path.isdir(table):
            print("gold_" + service, "MISSING")
            continue
        weights = "+".join(f"coalesce(strlen({col(k)}),0)*{i + 1}" for i, k in enumerate(keys))
        line("gold_" + service, f"count(*), sum({weights} + strlen(email) + strlen(action_name))", gold(table, service, is_mixed))


if __name__ == "__main__":
    main()
