#!/usr/bin/env python3
"""outcomes.py LOGFILES... [--counts]    what became of each record's statement, one JSON object a line

A second implementation of the rules by which records of a session are joined, for csvlog and jsonlog of one server, in plain Python and without
any code of auditlake. It holds all records in memory and reads each session from its first to its last line. IntegrationTests/outcomes_test.py
holds auditlake's `<table>_resolved` against it.

    session_id, session_line_num, event_time (µs)   which record
    result, error_code    SUCCESS, FAILURE or null, as the records after it decide
    txn_outcome           COMMITTED or ROLLED_BACK for what succeeded in a transaction; null for a statement that was its own, and for a failed one
    effective_role        what SET ROLE and SET SESSION AUTHORIZATION had made of the login user when the record was written; null for the login user
    statement             text, not logged, or reference: an earlier record of the same statement has it

The rules
  * An ERROR decides about the newest statement of its session when both have one virtual_transaction_id, no other ERROR is between, and their
    query ids are the same. Only where the statement has none (compute_query_id off), their texts count, without blanks and semicolons at the end. A
    text that is not there, or that of an EXECUTE, is no evidence; then the place alone counts.
  * An ERROR under PARSE, BIND or idle came before its own statement could be logged, and so did one without a query id where statements have them:
    whatever the statement before it is, it has not failed. A string of several statements has one text for all of them, and a text can
    be sent twice.
  * A statement that pgaudit logs once it has succeeded has not failed: utilities but COPY, DO, CLOSE and those of extensions; with
    pgaudit.log_rows also SELECT and DML. That holds for the statement's own record, not for those nested in it.
  * All records of a failed STATEMENT_ID fail with it. All others of the transaction are rolled back: those after the innermost savepoint when the
    transaction goes on, else all.
  * COMMIT is logged before it is carried out: an ERROR under COMMIT that follows its record makes it fail, and all of the transaction is rolled back.
  * COMMIT, ROLLBACK, ROLLBACK TO decide the rest; also another transaction or the end of the session after an error. In an aborted transaction
    pgaudit logs none of them.
  * A statement is in a transaction after BEGIN, AND CHAIN, or when another statement of its virtual_transaction_id fails, commits or rolls back.
  * A role is set from its record on; what was set in a transaction ends with SET LOCAL at its end, without it when the transaction or
    savepoint is rolled back.
"""
import argparse, json, os
from collections import Counter, defaultdict
import expected

ERRORS = expected.ERRORS
BEFORE = {("FUNCTION", "EXECUTE"), ("FUNCTION", "DO"), ("READ", "COPY"), ("WRITE", "COPY"), ("MISC", "CLOSE"), ("DDL", "CREATE EXTENSION"), ("DDL", "ALTER EXTENSION"),
          ("MISC", "???"), ("FUNCTION", "???")}
EXECUTED = {(c, k) for c in ("READ", "WRITE", "MISC") for k in ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "???")}
UNKNOWN_TEXT = ("", "<not logged>", "<previously logged>")


def form_of(path):
    """the format by the name: server.json, server.json.1"""
    return "json" if ".json" in os.path.basename(path) else "csv"


def raw_records(path):
    """(offset, bytes without the last newline) of each record of a file; None in place of the bytes of a last one without an end"""
    with open(path, "rb") as f:
        return (expected.lines if form_of(path) == "json" else expected.records)(f.read())


def columns_of(record, form):
    """a record's fields by csvlog's names, and its text"""
    text, _ = expected.decoded(record)
    return (expected.json_record if form == "json" else expected.csv_record)(text)[0], text


class Entry:
    """one record"""

    def __init__(self, record):
        self.r, self.audit = record, expected.pgaudit(record)
        self.line, self.time = int(record["session_line_num"]), expected.microseconds(record["log_time"])
        self.result = self.error = self.txn = self.role = self.statement = None
        self.failed = record["error_severity"] in ERRORS and record["sql_state_code"][:2] not in ("", "00", "01", "02", "03")
        message = record["message"]
        if self.failed:
            self.result, self.error = "FAILURE", record["sql_state_code"]
        elif self.audit or record["error_severity"] == "LOG" and not record["context"] and not record["query"] and message.startswith((*expected.CONNECT, "disconnection:")):
            self.result = "SUCCESS"
        if not self.failed and record["sql_state_code"] not in ("", "00000"):
            self.error = record["sql_state_code"]

    @property
    def kind(self):
        return self.audit["class"], self.audit["command"]

    def is_finished(self):
        """was it written after its own success?"""
        if self.kind in EXECUTED:
            return self.audit["rows"] != ""
        return self.kind not in BEFORE

    def text(self):
        return trimmed(self.audit["statement"])


def trimmed(text):
    return text.strip(" \t\r\n\f\v;")


def words(text):
    """the words of a statement, strings and quoted names as they stand"""
    found = [(kind, text[s:e]) for kind, s, e in expected.tokens(text) if kind != "comment"]
    return [t if kind in ("quoted", "literal") else t.lower() for kind, t in found]


def name_of(token):
    """a role's or savepoint's name"""
    if token.startswith('"'):
        return token[1:-1].replace('""', '"')
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    return token.lower()


class Roles:
    """the effective role: `authorization` when it is not the login user's, and `role` when one is set; SET LOCAL lies over both"""

    def __init__(self):
        self.now = (None, None)                                        # (session authorization, role)
        self.after = (None, None)                                      # as they will stand once the transaction has committed

    @property
    def effective(self):
        return self.now[1] or self.now[0]

    def set(self, authorization=..., role=..., local=False):
        change = lambda old: (old[0] if authorization is ... else authorization, old[1] if role is ... else role)
        self.now = change(self.now)
        if not local:
            self.after = change(self.after)

    def state(self):
        return self.now, self.after

    def restore(self, state):
        self.now, self.after = state


class Transaction:
    def __init__(self, vxid, roles, is_block=False):
        self.vxid, self.is_block, self.entries, self.savepoints, self.is_aborted, self.at_begin, self.had_error = vxid, is_block, [], [], False, roles.after, 0


class Session:
    def __init__(self):
        self.roles, self.txn, self.chained, self.texts = Roles(), None, False, {}
        self.committed = None                                          # the transaction that the last record has ended by COMMIT

    # --- the end of transactions

    def roll_back(self, entries):
        for e in entries:
            if e.result == "SUCCESS":
                e.txn = "ROLLED_BACK"

    def end(self, committed):
        """ends the transaction; committed is None when no record says how"""
        t, self.txn = self.txn, None
        if t is None:
            return
        if committed is None and t.is_aborted:
            committed = False
        if t.is_block or committed is False and self.has_others(t):
            for e in t.entries:
                if e.audit and e.result == "SUCCESS" and e.txn is None and committed is not None:
                    e.txn = "COMMITTED" if committed else "ROLLED_BACK"
        if committed is False:
            self.roles.now = self.roles.after = t.at_begin
        else:
            self.roles.now = self.roles.after

    def has_others(self, t):
        """did statements without BEGIN share a transaction?"""
        return t.had_error or len({e.audit["statement_id"] for e in t.entries}) > 1

    def to_savepoint(self, index):
        """what came after a savepoint is undone; the savepoint stays"""
        name, length, roles = self.txn.savepoints[index]
        self.roll_back(self.txn.entries[length:])
        self.txn.savepoints = self.txn.savepoints[:index + 1]
        self.txn.entries, undone = self.txn.entries[:length], self.txn.entries[length:]
        self.roles.restore(roles)
        return undone

    # --- records

    def take(self, e):
        vxid = e.r["virtual_transaction_id"]
        is_inside = bool(vxid) and not vxid.endswith("/0")
        committed, self.committed = self.committed, None
        if committed and e.failed and vxid == committed.vxid and e.r["command_tag"] == "COMMIT":
            return self.fail_commit(e, committed)
        if self.txn and is_inside and self.txn.vxid != vxid:
            self.end(None)
        elif self.txn and not is_inside and e.r["message"].startswith("disconnection:"):
            self.close()
        if e.failed:
            self.fail(e, vxid if is_inside else None)
        elif e.audit:
            self.audit(e, vxid if is_inside else None)
        else:
            e.role = self.roles.effective

    def audit(self, e, vxid):
        a = e.audit
        key = a["statement_id"], a["substatement_id"]
        if a["statement"] == "<previously logged>":
            e.statement = "reference" if key in self.texts else "not logged"
        elif a["statement"] in UNKNOWN_TEXT:
            e.statement = "not logged"
        else:
            e.statement = "text"
            self.texts.setdefault(key, e)
        if vxid is None:
            e.role = self.roles.effective
            return
        if self.txn is None:
            self.txn = Transaction(vxid, self.roles, self.chained)
            self.chained = False
        elif self.txn.is_aborted and self.txn.savepoints:              # it goes on: it was rolled back to a savepoint, and no record says so
            self.to_savepoint(len(self.txn.savepoints) - 1)
            self.txn.is_aborted = False
        t = self.txn
        e.role = self.roles.effective
        t.entries.append(e)
        if a["class"] == "MISC":
            self.command(e, a["command"], words(a["statement"]) if e.statement == "text" else [])

    def command(self, e, command, w):
        t = self.txn
        if command in ("BEGIN", "START TRANSACTION"):
            t.is_block = True
        elif command == "SAVEPOINT" and len(w) > 1:
            t.savepoints.append((name_of(w[-1]), len(t.entries), self.roles.state()))
        elif command == "RELEASE" and len(w) > 1:
            index = self.savepoint(name_of(w[-1]))
            if index is not None:
                t.savepoints = t.savepoints[:index]
        elif command == "ROLLBACK" and "to" in w:
            index = self.savepoint(name_of(w[-1]))
            if index is not None:
                t.entries.remove(e)
                self.to_savepoint(index)
                t.entries.append(e)
        elif command in ("ROLLBACK", "COMMIT"):
            if w[-2:] == ["and", "chain"]:
                self.chained = True
            t.is_block |= self.has_others(t)
            self.end(command == "COMMIT")
            if command == "COMMIT":
                self.committed = t
        elif command == "PREPARE TRANSACTION":
            t.is_block = False
            self.end(None)
        elif command in ("SET", "RESET", "DISCARD ALL"):
            self.role(command, w)

    def savepoint(self, name):
        return next((i for i in range(len(self.txn.savepoints) - 1, -1, -1) if self.txn.savepoints[i][0] == name), None)

    def role(self, command, w):
        if command == "DISCARD ALL":
            self.roles.set(None, None)
            return
        local = w[1:2] == ["local"]
        rest = [x for x in w[1:] if x not in ("local",)] if local or w[1:2] != ["session"] or w[2:3] == ["authorization"] else w[2:]
        if rest[:2] == ["session", "authorization"]:
            value = rest[2] if command == "SET" else "default"
            self.roles.set(authorization=None if value == "default" else name_of(value), role=None, local=local)
        elif rest[:1] == ["role"]:
            values = [x for x in rest[1:] if x not in ("=", "to")]
            value = values[0] if command == "SET" and values else "none"
            self.roles.set(role=None if value in ("none", "'none'", "default") else name_of(value), local=local)

    def fail(self, e, vxid):
        tag = e.r["command_tag"]
        if vxid is None:
            e.role = self.roles.effective
            return
        if self.txn is None:
            self.txn = Transaction(vxid, self.roles, self.chained)
            self.chained = False
        t = self.txn
        is_again = t.had_error and not any(x.line > t.had_error for x in t.entries)
        if t.is_aborted and t.savepoints and e.error != "25P02" and not (is_again and e.error in ("42601", "26000")):
            # an error of another kind in an aborted transaction can only come after a ROLLBACK TO; of a syntax error that cannot be said
            self.to_savepoint(len(t.savepoints) - 1)
            t.is_aborted = False
        e.role = self.roles.effective
        if not is_again and tag != "COMMIT" and not tag.startswith(("PARSE", "BIND", "idle")):
            self.join(e, t)
        t.had_error = e.line
        if t.is_block and tag != "COMMIT":
            t.is_aborted = True
            if t.savepoints:                                           # settings are undone at once
                self.roles.restore(t.savepoints[-1][2])
            else:
                self.roles.now = self.roles.after = t.at_begin
        else:
            self.end(False)
        if e.r["error_severity"] in ("FATAL", "PANIC"):
            self.close()

    def fail_commit(self, e, t):
        """the transaction that was said to be committed is not"""
        e.role, self.chained = self.roles.effective, False
        commit = t.entries[-1]
        commit.result, commit.error, commit.txn = "FAILURE", e.error, None
        for x in t.entries[:-1]:
            if x.result == "SUCCESS" and (x.txn or len(t.entries) > 1):
                x.txn = "ROLLED_BACK"
        self.roles.now = self.roles.after = t.at_begin

    def join(self, e, t):
        """the statement that the ERROR ended"""
        newest = next((x.audit["statement_id"] for x in reversed(t.entries) if x.audit), None)
        if newest is None:
            return
        rows = [x for x in t.entries if x.audit and x.audit["statement_id"] == newest]
        text, query_id = trimmed(e.r["query"]), e.r["query_id"]
        if any(x.is_finished() and (x.text() == text or x.audit["statement"] in UNKNOWN_TEXT and x.audit["substatement_id"] == "1") for x in rows):
            return
        if all(x.is_finished() for x in rows) and not any(x.audit["substatement_id"] != "1" for x in rows):
            return
        theirs = next((x.r["query_id"] for x in rows if x.r["query_id"] not in ("", "0")), "0")
        if theirs != "0":
            is_same = theirs == query_id
        else:
            texts = [x.text() for x in rows if x.audit["statement"] not in UNKNOWN_TEXT]
            is_same = not texts or not text or text in texts or text.lower().startswith("execute")
        if is_same:
            for x in rows:
                x.result, x.error = "FAILURE", e.error

    def close(self):
        """the session's end undoes what is open"""
        if self.txn is not None:
            self.end(False if self.txn.is_block else None)


def outcomes(paths):
    """every entry of the files, sessions joined"""
    sessions = defaultdict(list)
    for path in paths:
        for _, record in raw_records(path):
            if record is not None:
                try:
                    e = Entry(columns_of(record, form_of(path))[0])
                except expected.Damaged:
                    continue
                sessions[e.r["session_id"]].append(e)
    found = []
    for entries in sessions.values():
        entries.sort(key=lambda e: e.line)
        session = Session()
        for e in entries:
            session.take(e)
        session.close()
        found += entries
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("logs", nargs="+", metavar="LOGFILE")
    p.add_argument("--counts", action="store_true")
    a = p.parse_args()
    counts = Counter()
    for e in outcomes(a.logs):
        row = {"session_id": e.r["session_id"], "session_line_num": e.line, "event_time": e.time, "result": e.result, "error_code": e.error, "txn_outcome": e.txn,
               "effective_role": e.role, "statement": e.statement}
        if a.counts:
            counts[f"{e.result} {e.error} {e.txn}"] += 1
        else:
            print(json.dumps(row))
    for key, n in counts.most_common():
        print(n, key)


if __name__ == "__main__":
    main()
