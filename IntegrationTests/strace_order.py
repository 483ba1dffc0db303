#!/usr/bin/env python3
"""strace_order.py [--binary PATH] [--logs FILE...]

Proves with strace, on the real binary, in which order a batch becomes durable. Of every batch of a run with several:

1. each data file is synced, and then its folder, before the plan gets its name;
2. the plan's temporary file is synced, then linked to its name, then the folder synced, before the first commit gets its name;
3. each commit's temporary file is synced, linked, and its folder synced, before the receipt gets its name; the receipt in the same way;
4. the receipt's folder is synced before the next plan gets its name;
5. every file that a commit adds was synced before it, and each new folder above a data file was synced into its parent.

An event counts from when its system call returned; one that must wait, from when it was called. Exit status 1 when the order is another;
`skipped:` and 0 when processes may not be traced here.
"""
import json, os, re, shutil, subprocess, sys, urllib.parse, warnings
from collections import defaultdict
import harness
from harness import Failure, Workspace

CALLS = "open,openat,creat,close,fsync,fdatasync,link,linkat,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat"
LINE = re.compile(r"(\d+)\s+(\d+\.\d+) (.*)")
WHOLE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(?:<.*?>)?.*")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
DATA = re.compile(r"/part-[^/]*\.parquet$")


class Event:
    def __init__(self, call, text, begun, ended):
        self.call, self.begun, self.ended = call, begun, ended         # positions in the trace
        self.paths = TEXT.findall(text)
        self.synced = (re.match(r"\d+<(.*)>$", text) or [None, None])[1] if call in ("fsync", "fdatasync") else None

    @property
    def target(self):
        return self.paths[-1] if self.paths else None


def events(path):
    """the calls that succeeded, in order of their return"""
    unfinished, found = {}, []
    with open(path, encoding="utf-8", errors="replace") as f:
        for position, line in enumerate(f):
            m = LINE.match(line)
            if not m:
                continue
            thread, text = m[1], m[3]
            begun = position
            if text.endswith("<unfinished ...>"):
                unfinished[thread] = position, text.removesuffix("<unfinished ...>").rstrip()
                continue
            if r := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
                begun, head = unfinished.pop(thread)
                text = head + r[1]
            if (c := WHOLE.match(text)) and int(c[3]) >= 0:
                found.append(Event(c[1], c[2].strip(), begun, position))
    return found


class Order:
    def __init__(self, trace):
        self.synced, self.named, self.made = defaultdict(list), {}, {}
        for e in trace:
            if e.synced:
                self.synced[e.synced].append(e)
            elif e.call.startswith(("link", "rename")):
                self.named[e.target] = e
            elif e.call.startswith("mkdir"):
                self.made[e.target.rstrip("/")] = e

    def synced_between(self, path, after, before, what):
        """demands a sync of a path between two positions; the position where it returned"""
        fitting = [e for e in self.synced.get(path, []) if e.begun > after and e.ended < before]
        if not fitting:
            raise Failure(f"{what}: {path} is not synced in time")
        return fitting[0].ended

    def put(self, path, before, what):
        """demands temporary file, sync, link, sync of the folder; the link and where all was durable"""
        link = self.named.get(path)
        if link is None:
            raise Failure(f"{what}: {path} never got its name by a link")
        if not link.call.startswith("link"):
            raise Failure(f"{what}: {path} got its name by {link.call}, which overwrites")
        self.synced_between(link.paths[0], -1, link.begun, what)
        return link, self.synced_between(os.path.dirname(path), link.ended, before, what)


def check(w, order):
    log = harness.Log(w.table)
    folder = os.path.join(w.table, "_delta_log")
    commits = {}
    for name in sorted(n for n in os.listdir(folder) if n.endswith(".json")):
        with open(os.path.join(folder, name)) as f:
            actions = [json.loads(line) for line in f]
        txn = [a["txn"]["version"] for a in actions if "txn" in a]
        if txn:
            commits[txn[0]] = os.path.join(folder, name), [a["add"]["path"] for a in actions if "add" in a]
    never, durable = float("inf"), -1
    for n in w.numbers("plans"):
        plan_path, receipt_path = (os.path.join(w.shard, kind, f"{n:020}.json") for kind in ("plans", "receipts"))
        commit_path, files = commits[n]
        plan, commit, receipt = (order.named.get(p) for p in (plan_path, commit_path, receipt_path))
        for what, e in ("plan", plan), ("commit", commit), ("receipt", receipt):
            if e is None:
                raise Failure(f"batch {n}: the {what} never got its name by a link")
        if n > 1 and not durable < plan.begun:
            raise Failure(f"batch {n}: planned before the receipt of batch {n - 1} was durable")
        for file in files:
            path = os.path.join(w.table, urllib.parse.unquote(file))
            at = order.synced_between(path, -1, plan.begun, f"batch {n}, data file")
            order.synced_between(os.path.dirname(path), at, plan.begun, f"batch {n}, folder of the data file")
            above = os.path.dirname(path)
            while above in order.made:
                order.synced_between(os.path.dirname(above), order.made[above].ended, plan.begun, f"batch {n}, new folder")
                above = os.path.dirname(above)
        order.put(plan_path, commit.begun, f"batch {n}, plan")
        order.put(commit_path, receipt.begun, f"batch {n}, commit")
        durable = order.put(receipt_path, never, f"batch {n}, receipt")[1]
    return len(w.numbers("plans")), len(log.adds)


def main():
    a = harness.arguments(__doc__, seed=False).parse_args()
    folder = harness.prepare(a)
    trace = os.path.join(folder, "trace")
    strace = ["strace", "-f", "-ttt", "-y", "-s", "4096", "-e", f"trace={CALLS}", "-o", trace]
    if not shutil.which("strace") or subprocess.run([*strace, "true"], capture_output=True).returncode != 0:
        print("skipped: strace is not there, or processes may not be traced here")
        return 0
    w, failed = Workspace(a.binary, folder, batch_bytes="40kB"), False
    for path in a.logs:
        shutil.copy(path, w.logs)
    done = subprocess.run([*strace, a.binary, "run", "--once"], cwd=w.folder, capture_output=True, text=True, env=harness.environment())
    try:
        if done.returncode != 0:
            raise Failure(f"run --once ended with {done.returncode} and said: {done.stderr}")
        batches, files = check(w, Order(events(trace)))
        if problems := harness.reckon(w, a.logs):
            raise Failure("; ".join(problems))
        print(f"{batches} batches, {files} data files: data file and folder synced < plan linked; plan synced, linked, folder synced < commit linked; "
              "commit synced, linked, folder synced < receipt linked; receipt synced, linked, folder synced < next plan")
    except Failure as e:
        print(f"FAILED: {e}")
        failed = True
    return harness.conclude(a, folder, failed)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
