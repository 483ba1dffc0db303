"""J2 side by side: auditlake against the peers, in turn and in one run, every run printed.

usage: run_j2.py [--mb 256] [--runs 5] [--peers chdb,deltars,duckdb] [--binary PATH] [--input FILE]

Prints one JSON line a run (wall, CPU seconds of the whole process tree, peak memory), then the medians, the ratio of CPU
seconds to each peer run by run, and whether check_j2 agrees. auditlake runs with normalization and redaction on; the
check uses a second table with both off.
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
  pg:
    kind: postgres
    source: {{files: "{input}"}}
    role: primary
    table: j2.audit
    statement: {statement}
    redact: {redact}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=256)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", default="chdb")
    parser.add_argument("--binary", default=ROOT / ".build/release/auditlake", type=pathlib.Path)
    parser.add_argument("--input", type=pathlib.Path)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="j2-"))
    try:
        run(options, folder)
    finally:
        shutil.rmtree(folder)


def run(options, folder):
    source = options.input or folder / "pg.csv"
    if not options.input:
        subprocess.run([sys.executable, HERE / "gen_pgcsv.py", "--mb", str(options.mb), "--out", source], check=True)
    source = source.resolve()
    binary = options.binary.resolve()

    def ours(statement, redact):
        lake = folder / f"ours-{statement}"
        shutil.rmtree(lake, ignore_errors=True)
        config = folder / f"{statement}.yaml"
        config.write_text(CONFIG.format(lake=lake, input=source, statement=statement, redact=redact))
        return lake, [binary, "run", "--once", "--config", config]

    jobs = {"auditlake": lambda: ours("normalized", "on")}
    for peer in filter(None, options.peers.split(",")):
        out = folder / peer
        jobs[peer] = lambda peer=peer, out=out: (out, [sys.executable, HERE / f"peers/j2_{peer}.py", source, out])
    summary(take_turns(jobs, options.runs))
    lake, command = ours("verbatim", "off")
    measure("auditlake verbatim", lake, command)
    own = check([HERE / "check_j2_view.py", lake / "main/j2/audit"])
    print(own, end="")
    for peer in list(jobs)[1:]:
        same = check([HERE / "peers/check_j2.py", folder / peer]) == own
        print(f"check_j2: {peer} {'same' if same else 'DIFFERS'}")
        if not same:
            print(check([HERE / "peers/check_j2.py", folder / peer]), end="")
            sys.exit(1)


if __name__ == "__main__":
    main()
