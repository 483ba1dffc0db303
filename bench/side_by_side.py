"""What run_j1.py, run_j2.py and run_j3.py share: jobs measured in turn, their medians and ratios."""
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def measure(tag, out, command, also=None):
    """One run under measure.py; `also` is the id of a server's first process, whose CPU seconds count as well."""
    server = ["--also", str(also)] if also else []
    done = subprocess.run(
        [sys.executable, HERE / "measure.py", "--tag", f"job={tag}", "--out", out, *server, "--", *map(str, command)],
        stdout=subprocess.PIPE, text=True, check=True,
    )
    print(done.stdout.strip(), flush=True)
    result = json.loads(done.stdout)
    if result["rc"] != 0:
        sys.exit(f"{tag} failed: {' '.join(map(str, command))}")
    return result


def check(command):
    """The lines of a check script."""
    return subprocess.run([sys.executable, *map(str, command)], stdout=subprocess.PIPE, text=True, check=True).stdout


def take_turns(jobs, runs, also=None):
    """Runs every job once, then every job again; a job is a function that gives its output folder and command."""
    results = {name: [] for name in jobs}
    for _ in range(runs):
        for name, job in jobs.items():
            out, command = job()
            results[name].append(measure(name, out, command, also))
    return results


def cpu_seconds(run):
    """CPU seconds of a run, a server's among them"""
    return run["cpu"] + run["pgcpu"]


def summary(results):
    """Prints the medians, and the ratio of the CPU seconds of auditlake to each peer, run by run."""
    for name, runs in results.items():
        cpu, memory = [cpu_seconds(run) for run in runs], [run["rss_mb"] for run in runs]
        line = f"{name}: CPU median {statistics.median(cpu):.2f} s ({min(cpu):.2f} to {max(cpu):.2f}), peak memory {max(memory)} MB"
        if name != "auditlake":
            ratios = [cpu_seconds(own) / cpu_seconds(run) for own, run in zip(results["auditlake"], runs)]
            line += f"; auditlake / {name} by run: {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
        print(line)
