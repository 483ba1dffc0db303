#!/usr/bin/env python3
"""outcomes_test.py [--seconds 60] [--seed N] [--binary PATH] [--without-lake]

What became of each statement: three answers that share no code have to agree.

1. The journal of a seeded random workload on a fresh PostgreSQL primary and replica with pgaudit (workload.py): what the server told the client.
2. Examples/outcomes.py, which joins the records of the log files, for csvlog and jsonlog.
3. auditlake: view `<table>_resolved`, of tables that `run --follow` filled while the workload ran, and of others that `run --once` filled afterwards; each
   from csvlog and from jsonlog.

Sessions run with pgaudit.log_rows on and off, with log_statement_once, as superuser and not. 2 and 3 are compared for every record of the logs, in result,
error_code, txn_outcome, effective_role and whether there is a statement; 1 with each of them for every statement.

Where the log cannot know, the comparison goes by rule and counts: with log_rows on, a failed SELECT, DML or COPY has no record but its ERROR; and after an
error, ROLLBACK TO an outer savepoint is not logged, so what lies between that and the innermost counts as kept. With log_rows on, a statement of
the extended protocol in a transaction has its record when the next one begins, or never when that fails at once. And a statement that was logged as done and
is undone at its very end (a timeout before its own commit) has result SUCCESS with ROLLED_BACK.

--without-lake compares 1 with 2 alone. Exit status 1 on any deviation; the folder is left then.
"""
import contextlib, glob, os, shutil, sys, time, warnings
from collections import Counter, defaultdict
import harness
from cluster import Cluster
from follow import Follower, Site, clean_up_when_stopped
from harness import Failure
import outcomes, workload

NODES = []                                                             # (node, form)
COLUMNS = ("result", "error_code", "txn_outcome", "effective_role")
RESOLVED = """select session_id, cast(extra['session_line_num'] as bigint) as line, result, error_code, txn_outcome, effective_role, statement is not null as has_statement,
epoch_us(event_time::timestamptz) as time from pg.{name}_resolved"""


class Row:
    """one record's answer, from whoever gave it"""

    def __init__(self, result, error_code, txn_outcome, effective_role, has_statement):
        self.result, self.error_code, self.txn_outcome, self.effective_role, self.has_statement = result, error_code, txn_outcome, effective_role, has_statement


def by_rules(paths):
    """answer 2: (session, line) -> Row, and the entries"""
    entries = outcomes.outcomes(paths)
    return {(e.r["session_id"], e.line): Row(e.result, e.error, e.txn, e.role, e.statement != "not logged") for e in entries}, entries


def by_view(site, name):
    """answer 3"""
    import pyarrow.parquet as pq
    path = os.path.join(site.folder, f"{name}.parquet")
    if os.path.exists(path):
        os.unlink(path)
    site.command("query", RESOLVED.format(name=name), "--format", "parquet", "--output", path)
    found, twice = {}, 0
    for r in pq.read_table(path).to_pylist():
        twice += (r["session_id"], r["line"]) in found
        found[r["session_id"], r["line"]] = Row(*(r[c] for c in COLUMNS), r["has_statement"])
    if twice:
        raise Failure(f"{name}_resolved has {twice} records twice")
    return found


class Judge:
    """collects deviations, a few of each kind in words"""

    def __init__(self, show=4):
        self.counts, self.problems, self.show = Counter(), [], show

    def wrong(self, kind, text):
        self.counts[kind] += 1
        if self.counts[kind] <= self.show:
            self.problems.append(f"{kind}: {text}")


def compare_rules(judge, name, rules, entries, view):
    """2 against 3, record by record"""
    for e in entries:
        key = e.r["session_id"], e.line
        want, got = rules[key], view.get(key)
        where = f"{name}, session {key[0]} line {key[1]}: {e.r['message'][:160]!r} {e.r['query'][:80]!r}"
        if got is None:
            judge.wrong(f"{name}: no row", where)
            continue
        for c in COLUMNS:
            w, g = getattr(want, c), getattr(got, c)
            if c == "effective_role":
                w, g = w or e.r["user_name"] or None, g or e.r["user_name"] or None
            if c == "txn_outcome" and want.result == "FAILURE" and g in (None, "ROLLED_BACK"):
                continue                                               # what failed is undone, whether it is said or not
            if w != g:
                judge.wrong(f"{name}: rules and view differ in {c}", f"{where}: the rules say {w}, the view {g}")
        if e.audit and want.has_statement != got.has_statement:
            judge.wrong(f"{name}: rules and view differ in statement", f"{where}: {want.has_statement}, {got.has_statement}")
    if extra := view.keys() - rules.keys():
        judge.wrong(f"{name}: rows too many", str(sorted(extra)[:3]))


def compare_journal(judge, name, sessions, entries, answers, who, known):
    """1 against an answer, statement by statement; counts in `known` what the log cannot know"""
    records = defaultdict(list)
    for e in entries:
        if e.audit or e.failed:
            records[e.r["session_id"]].append(e)
    statements = 0
    for session in sessions:
        todo, at, late = sorted(records[session.id], key=lambda e: e.line), 0, None
        for s in session.journal:
            statements += 1
            mine = []
            while at < len(todo) and todo[at].time // 1000 <= s.end:
                if todo[at].time // 1000 >= s.start:
                    mine.append(todo[at])
                at += 1
            if late and (first := next((e for e in mine if e.audit and e.text() == late.text), None)):
                judge_statement(judge, f"{name}, {who}", late, [first], answers, known)
                mine.remove(first)
                late = None
            if s.is_late and not mine and not s.error:
                late = s
                known["log_rows on, extended protocol: the record comes later or never"] += 1
                continue
            judge_statement(judge, f"{name}, {who}", s, mine, answers, known)
    return statements


def judge_statement(judge, name, s, mine, answers, known):
    def of(e):
        return answers.get((e.r["session_id"], e.line)) or Row(*["no row"] * 5)

    where = f"session {s.session.id} (log_rows {s.session.rows}): {s.text[:100]!r} ({s.kind}) before {s.before}, {s.error or 'good'}"
    audits, errors = [e for e in mine if e.audit], [e for e in mine if e.failed]
    rows_on = s.session.rows == "on"

    # The failure is there, with its SQLSTATE; success is without one.
    if s.error and not any(of(e).result == "FAILURE" and of(e).error_code == s.error for e in errors):
        judge.wrong(f"{name}: no row of the failure", f"{where}; rows {[(e.line, of(e).result, of(e).error_code) for e in mine]}")
    if not s.error and errors:
        judge.wrong(f"{name}: an ERROR of a good statement", where)
    if not s.error and s.before != "E" and not audits:
        judge.wrong(f"{name}: no record of a good statement", where)
    if s.error and s.audited and not rows_on and not any(of(e).result == "FAILURE" for e in audits):
        judge.wrong(f"{name}: the failed statement has no row", f"{where}; rows {[(e.line, e.r['message'][:60], of(e).result) for e in audits]}")
    if s.error and s.audited and rows_on and not any(of(e).result == "FAILURE" for e in audits):
        known["failed with log_rows on: only the ERROR is logged"] += 1

    # Which of its parts failed: those that the server completed did not.
    ids = list(dict.fromkeys(e.audit["statement_id"] for e in audits))
    for e in audits:
        part = ids.index(e.audit["statement_id"])
        failed = bool(s.error) and (part >= s.done if s.parts > 1 else True)
        if s.kind == "end" and s.error:
            failed = True
        got = of(e)
        if failed and s.before == "I" and s.parts == 1 and e.is_finished() and (got.result, got.txn_outcome) == ("SUCCESS", "ROLLED_BACK"):
            known["logged as done, undone at its end"] += 1
            continue
        want = ("FAILURE", s.error) if failed else ("SUCCESS", None)
        if (got.result, got.error_code) != want:
            judge.wrong(f"{name}: result", f"{where}: line {e.line} {e.r['message'][:80]!r} is {got.result} {got.error_code}, the server said {want[0]} {want[1]}")
        if not failed:
            if s.is_unknowable:
                known["ROLLBACK TO an outer savepoint after an error"] += 1
            elif got.txn_outcome != s.fate:
                judge.wrong(f"{name}: txn_outcome", f"{where}: line {e.line} {e.r['message'][:80]!r} is {got.txn_outcome}, in truth {s.fate}")
    # The role.
    if s.role is not None and not (s.before == "E" and s.error):
        for e in mine:
            role = of(e).effective_role or e.r["user_name"]
            if role != s.role:
                judge.wrong(f"{name}: effective_role", f"{where}: line {e.line} has {role}, in truth {s.role}")


def pipelines(cluster):
    return {f"{node}_{form}": {"source": {"files": cluster.logs(node, form)}, "role": node} for node, form in NODES}


def wait_for(follower, site, expected, judge):
    """until the follower has as many rows as the logs"""
    from logwriter import Arrivals
    end, arrivals = time.monotonic() + 90, {name: Arrivals(stream.table) for name, stream in site.streams.items()}
    while time.monotonic() < end:
        follower.check()
        for a in arrivals.values():
            a.poll()
        if all(arrivals[n].rows >= expected[n] for n in expected):
            return
        time.sleep(0.2)
    judge.wrong("--follow did not read all in 90 s", str({n: (arrivals[n].rows, expected[n]) for n in expected}))


def main():
    p = harness.arguments(__doc__, logs=False)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--without-lake", action="store_true")
    p.add_argument("--formats", default="csv,json", help="which logs are read (csv,json)")
    a = p.parse_args()
    NODES.extend((node, form) for node in ("primary", "replica") for form in a.formats.split(","))
    if a.without_lake:
        a.binary = sys.executable
    a.work = a.work or os.environ.get("TMPDIR") or "/tmp"
    folder = harness.prepare(a)
    os.chmod(folder, 0o755)                                            # the servers of a test that runs as root are another user's
    clean_up_when_stopped()
    print(f"seed {a.seed}", flush=True)
    judge, known, started = Judge(), Counter(), time.monotonic()
    try:
        with Cluster(parent=folder) as cluster:
            following = None if a.without_lake else Site(a.binary, os.path.join(folder, "follow"), pipelines(cluster))
            with Follower(following) if following else contextlib.nullcontext() as follower:
                if following:
                    follower.start()
                workers = workload.run(cluster, a.seconds, a.seed, follower.check if following else lambda: None)
                cluster.stop()                                         # so that every record is in the files
                sessions = {node: [s for w in workers for s in (w.a, w.b) if w.node == node] for node in ("primary", "replica")}
                answers = {f"{node}_{form}": by_rules(sorted(glob.glob(cluster.logs(node, form)))) for node, form in NODES}
                if following:
                    wait_for(follower, following, {n: len(r) for n, (r, _) in answers.items()}, judge)
                    follower.stop()
            sites = {}
            if following:
                sites = {"--follow": following, "--once": Site(a.binary, os.path.join(folder, "once"), pipelines(cluster))}
                sites["--once"].once()
            for node, form in NODES:
                name = f"{node}_{form}"
                rules, entries = answers[name]
                n = compare_journal(judge, name, sessions[node], entries, rules, "Examples/outcomes.py", known if form == NODES[0][1] else Counter())
                done = [f"{n} statements of {len(sessions[node])} sessions", f"{len(entries)} records"]
                for way, site in sites.items():
                    view = by_view(site, name)
                    compare_rules(judge, f"{name} {way}", rules, entries, view)
                    compare_journal(judge, f"{name} {way}", sessions[node], entries, view, "view", Counter())
                    done.append(f"{way} {len(view)} rows")
                print(f"{name}: " + ", ".join(done), flush=True)
            kinds, fates = Counter(), Counter()
            for s in (s for some in sessions.values() for x in some for s in x.journal):
                kinds[s.kind if s.error else "good"] += 1
                fates[s.fate or "its own"] += 1
            print("failed by kind: " + ", ".join(f"{k} {n}" for k, n in sorted(kinds.items()) if k != "good"))
            print("fates: " + ", ".join(f"{k} {n}" for k, n in sorted(fates.items())) + "; the log cannot know: " + (", ".join(f"{k} {n}" for k, n in known.items()) or "nothing"))
            if judge.counts or a.keep:
                for node in ("primary", "replica"):
                    shutil.copytree(os.path.join(cluster.base, f"log-{node}"), os.path.join(folder, f"log-{node}"), dirs_exist_ok=True)
    except Failure as e:
        judge.wrong("stopped", str(e))
    for problem in judge.problems:
        print(f"  {problem}")
    for kind, n in judge.counts.items():
        print(f"FAILED: {kind}: {n}")
    return harness.conclude(a, folder, judge.counts, started)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
