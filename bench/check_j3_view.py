"""check_j3.py's line for a table of ours: check_j3_view.py LAKE/main/SCHEMA/TABLE

Our table has what J3's has under the same names, and more; customer_id is column customer.
"""
import sys

import duckdb
from deltalake import DeltaTable

CHECK = """
select count(*), sum(epoch_ms(event_time::timestamptz)), sum(duration_ms), sum(strlen(coalesce(details, ''))), sum(strlen(coalesce(comment, ''))),
  count(user_agent), bit_xor(hash(entity_id)), sum(strlen("user"))
from read_parquet({files!r}, union_by_name = true)
"""


def main():
    files = [uri.replace("file://", "") for uri in DeltaTable(sys.argv[1].rstrip("/")).file_uris()]
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    print(*connection.execute(CHECK.format(files=files)).fetchone())


if __name__ == "__main__":
    main()
