"""J3 side by side: auditlake against the peers, in turn and in one run, every run printed.

usage: run_j3.py [--files 200] [--mb-each 2] [--runs 5] [--peers polars] [--check duckdb] [--binary PATH] [--input FOLDER] [--postgres]

Prints one JSON line a run (wall, CPU seconds of the whole process tree, with --postgres also the server's, peak memory), then the medians, the ratio of CPU
seconds to each peer run by run, and whether check_j3 agrees with the peers measured and with those of --check, which run once.
With --postgres the rows go into a PostgreSQL server as well, which is started for it in a folder of its own; its table is held against the lake's.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from side_by_side import HERE, check, measure, summary, take_turns

ROOT = HERE.parent

CONFIG = """lake: {lake}
pipelines:
  wau:
    kind: customer_csv
    source: {{objects: "{input}/*.csv"}}
    table: j3.events
    customer: {{column: customer_id}}
"""
LOAD = """    load: {{warehouse: dwh, table: public.auditlake_events}}
warehouses:
  dwh: {{kind: postgres, url: "{url}"}}
"""
# What the peers append to; ours is made by the load.
PEERS_TABLE = """create table events (customer_id text, event_time timestamptz, "user" text, action text, entity text, entity_id text, ip text, user_agent text,
  status text, duration_ms bigint, details text, comment text, src text)"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--mb-each", type=float, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", default="polars")
    parser.add_argument("--check", default="duckdb")
    parser.add_argument("--binary", default=ROOT / ".build/release/auditlake", type=pathlib.Path)
    parser.add_argument("--input", type=pathlib.Path)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="j3-"))
    try:
        with server(folder) if options.postgres else contextlib.nullcontext() as found:
            run(options, folder, found)
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def server(folder):
    """a PostgreSQL server with the peers' table; gives it, and the id of its first process"""
    sys.path.insert(0, str(ROOT / "IntegrationTests"))
    import warehouse
    with warehouse.Server(str(folder)) as found:
        found.sql(PEERS_TABLE)
        os.environ |= {"PGURI": found.url(password=warehouse.QUOTED), "DWH_PASSWORD": warehouse.QUOTED}
        with open(os.path.join(found.data, "postmaster.pid")) as f:
            yield found, int(f.readline())


def run(options, folder, found):
    source = options.input or folder / "csv"
    if not options.input:
        sizes = ["--files", str(options.files), "--mb-each", str(options.mb_each)]
        subprocess.run([sys.executable, HERE / "gen_customer_csv.py", *sizes, "--out", source], check=True)
    source, binary = source.resolve(), options.binary.resolve()
    lake, config = folder / "ours", folder / "auditlake.yaml"
    os.environ["STEP"] = "both" if found else "delta"
    postgres, also = found or (None, None)

    def ours():
        shutil.rmtree(lake, ignore_errors=True)
        text = CONFIG.format(lake=lake, input=source)
        if not found:
            config.write_text(text)
            return lake, [binary, "run", "--once", "--config", config]
        config.write_text(text + LOAD.format(url=postgres.url()))
        postgres.sql("drop table if exists auditlake_events, auditlake_batches")
        return lake, ["sh", "-c", f"{binary} run --once --config {config} && {binary} load wau --config {config}"]

    def theirs(peer):
        return lambda: (folder / peer, [sys.executable, HERE / "peers/j3.py", peer, source, folder / peer])

    peers = list(filter(None, options.peers.split(",")))
    summary(take_turns({"auditlake": ours} | {peer: theirs(peer) for peer in peers}, options.runs, also))
    for peer in options.check.split(","):
        if peer and peer not in peers:
            measure(peer, *theirs(peer)(), also)
            peers.append(peer)
    own = check([HERE / "check_j3_view.py", lake / "main/j3/events"])
    print(own, end="")
    differs = False
    for peer in peers:
        lines = check([HERE / "peers/check_j3.py", folder / peer])
        print(f"check_j3: {peer} {'same' if lines == own else 'DIFFERS'}")
        if lines != own:
            print(lines, end="")
            differs = True
    if found:
        sums = "count(*), sum(extract(epoch from event_time) * 1000)::bigint, sum(duration_ms), sum(octet_length(details)), sum(octet_length(\"user\"))"
        rows = [postgres.sql(f"select {sums} from {table}") for table in ("auditlake_events", "events")]
        print(f"PostgreSQL: {'same' if rows[0] == rows[1] else f'DIFFERS: {rows}'}")
        differs |= rows[0] != rows[1]
    if differs:
        sys.exit(1)


if __name__ == "__main__":
    main()
