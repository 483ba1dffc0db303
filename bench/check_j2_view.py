"""check_j2.py's lines for a table of ours, through a view that gives J2's columns: check_j2_view.py TABLE_DIR

The table has to be made with `statement: verbatim` and `redact: off`, as J2 asks for neither.
"""
import sys

import duckdb
from deltalake import DeltaTable

KEYS = (
    "audit_type statement_id substatement_id parameter message detail application_name backend_type process_id "
    "session_line_num virtual_transaction_id query_id"
).split()

VIEW = f"""
create view audit as select event_time, db_name, user_name, client_addr, session_id,
  case when command_tag = 'CONNECT' and extra['message'] like 'connection received%' then null
       when command_tag = 'CONNECT' then 'authentication' else command_tag end as command_tag,
  object_type, object_name, statement, audit_class,
  case when result = 'FAILURE' then 'ERROR' else 'OK' end as result, error_code,
  map_from_entries(list_filter(map_entries(extra), lambda entry: entry.key in {tuple(KEYS)!r})) as extra, raw
from read_parquet({{files!r}}, hive_partitioning = true)
"""


def text(column):
    """The measure of check_j2.py: bytes and values."""
    return f"sum(strlen(coalesce({column}, ''))), count({column})"


def main():
    files = [uri.replace("file://", "") for uri in DeltaTable(sys.argv[1]).file_uris()]
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(VIEW.format(files=files))
    lengths = "sum(list_sum(list_transform(map_{}(extra), lambda value: strlen(value))))"
    lines = {
        "rows,time": "count(*), sum(epoch_ms(event_time::timestamptz))",
        "ids": ", ".join(map(text, ["db_name", "user_name", "client_addr", "session_id"])),
        "object": ", ".join(map(text, ["command_tag", "object_type", "object_name"])),
        "stmt": ", ".join(map(text, ["statement", "audit_class", "result", "error_code"])),
        "extra": f"sum(cardinality(extra)), {lengths.format('values')}, {lengths.format('keys')}",
        "raw": "sum(strlen(raw))",
    }
    for name, columns in lines.items():
        print(name, *connection.execute(f"select {columns} from audit").fetchone())


if __name__ == "__main__":
    main()
