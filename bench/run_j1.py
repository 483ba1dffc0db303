"""J1 side by side: auditlake against the peers, in turn and in one run, every run printed.

usage: run_j1.py [--mb 256] [--mixed] [--runs 5] [--peers chdb,deltars,duckdb] [--check duckdb] [--binary PATH] [--input FILE]

Prints one JSON line a run (wall, CPU seconds of the whole process tree, peak memory), then the medians, the ratio of CPU
seconds to each peer run by run, and whether check_j1 agrees with the peers measured and with those of --check, which run once.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from side_by_side import HERE, check, measure, summary, take_turns

ROOT = HERE.parent

CONFIG = """lake: {lake}
pipelines:
  databricks:
    kind: databricks
    source: {{objects: "{input}"}}
    schema: j1
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=256)
    parser.add_argument("--mixed", action="store_true", help="numbers and booleans unquoted")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", default="chdb")
    parser.add_argument("--check", default="duckdb")
    parser.add_argument("--binary", default=ROOT / ".build/release/auditlake", type=pathlib.Path)
    parser.add_argument("--input", type=pathlib.Path)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="j1-"))
    try:
        run(options, folder)
    finally:
        shutil.rmtree(folder)


def run(options, folder):
    source = options.input or folder / "events.json"
    if not options.input:
        mixed = ["--mixed"] if options.mixed else []
        subprocess.run([sys.executable, HERE / "gen_databricks.py", "--mb", str(options.mb), *mixed, "--out", source], check=True)
    source = source.resolve()
    lake = folder / "ours"

    def ours():
        shutil.rmtree(lake, ignore_errors=True)
        config = folder / "auditlake.yaml"
        config.write_text(CONFIG.format(lake=lake, input=source))
        return lake, [options.binary.resolve(), "run", "--once", "--config", config]

    def theirs(peer):
        return lambda: (folder / peer, [sys.executable, HERE / f"peers/j1_{peer}.py", source, folder / peer])

    peers = list(filter(None, options.peers.split(",")))
    summary(take_turns({"auditlake": ours} | {peer: theirs(peer) for peer in peers}, options.runs))
    for peer in options.check.split(","):
        if peer and peer not in peers:
            measure(peer, *theirs(peer)())
            peers.append(peer)
    own = check([HERE / "check_j1_view.py", lake / "main/j1"])
    as_duckdb = check([HERE / "check_j1_view.py", lake / "main/j1", "--mixed"]) if options.mixed else own
    print(own, end="")
    differs = False
    for peer in peers:
        lines = check([HERE / "peers/check_j1.py", folder / peer])
        # DuckDB alone does not keep the text of a number.
        same = lines == (as_duckdb if peer == "duckdb" else own)
        print(f"check_j1: {peer} {'same' if same else 'DIFFERS'}")
        if not same:
            print(lines, end="")
            differs = True
    if differs:
        sys.exit(1)


if __name__ == "__main__":
    main()
