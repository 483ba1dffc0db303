#!/usr/bin/env python3
"""load_warehouse.py [--binary PATH] [--mb 64] [--runs 3]

CPU seconds of a load into PostgreSQL, of the client and of the server, on the table that J2's log becomes: rows inserted, rows merged by a key, the build anew, and what
the server needs to write the rows once more out of a temporary table, which is what staging would add to an insert. Median of the runs, in turn.
"""
import argparse, os, shutil, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "IntegrationTests")]
import harness, warehouse


def server_seconds(server):
    """CPU of the server and of all of its processes that have ended"""
    with open(os.path.join(server.data, "postmaster.pid")) as f:
        pid = int(f.readline())
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    total = sum(map(int, fields[11:15]))
    for child in open(f"/proc/{pid}/task/{pid}/children").read().split():
        with open(f"/proc/{child}/stat") as f:
            total += sum(map(int, f.read().rpartition(")")[2].split()[11:13]))
    return total / ticks


def measured(server, w, *arguments):
    """CPU seconds of a load and of the server, seconds, and the load's peak memory in MB"""
    before, started = server_seconds(server), time.monotonic()
    process = subprocess.Popen([w.binary, "load", *arguments], cwd=w.folder, env=warehouse.environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"load ended with {status}")
    return usage.ru_utime + usage.ru_stime, server_seconds(server) - before, time.monotonic() - started, usage.ru_maxrss / 1024


def main(server):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--binary", default=os.path.join(os.path.dirname(HERE), ".build", "release", "auditlake"))
    p.add_argument("--mb", type=int, default=64)
    p.add_argument("--runs", type=int, default=3)
    a = p.parse_args()
    folder = tempfile.mkdtemp(prefix="auditlake-bench-")
    log = os.path.join(folder, "j2.csv")
    subprocess.run([sys.executable, os.path.join(HERE, "gen_pgcsv.py"), "--mb", str(a.mb), "--out", log], check=True, stdout=subprocess.DEVNULL)
    w = harness.Workspace(os.path.abspath(a.binary), os.path.join(folder, "w"), files=log)
    w.drain()
    modes = {"insert": "", "merge": ", mode: merge, key: [session_id, event_time, ingest_ts]", "full": ""}
    figures = {name: [] for name in [*modes, "once more"]}
    for _ in range(a.runs):
        for name, mode in modes.items():
            if name != "full":
                server.sql("DROP SCHEMA IF EXISTS b CASCADE")
            w.configure(files=log, load="{warehouse: dwh, table: b.%s%s}" % (name if name != "full" else "insert", mode), extra=warehouse.warehouses(server.url()))
            server.sql("CHECKPOINT")
            figures[name].append(measured(server, w, *(["--full"] if name == "full" else [])))
            if name == "insert":
                server.sql("CHECKPOINT")
                with server.connect() as c:
                    c.execute("CREATE TEMP TABLE stage AS SELECT * FROM b.insert")
                    c.execute("CREATE TABLE b.again (LIKE b.insert)")
                    before = server_seconds(server)
                    c.execute("INSERT INTO b.again SELECT * FROM stage")
                    figures["once more"].append((0, server_seconds(server) - before, 0, 0))
    for name, runs in figures.items():
        client, there, wall, peak = (statistics.median(r[i] for r in runs) for i in range(4))
        print(f"{name}: client {client:.2f} s, server {there:.2f} s, wall {wall:.2f} s, peak {peak:.0f} MB")
    shutil.rmtree(folder)


if __name__ == "__main__":
    warehouse.with_server(main)
