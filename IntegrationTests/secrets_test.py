#!/usr/bin/env python3
"""secrets_test.py [--seed N] [--binary PATH]

A hundred and more secrets, each another random word, are sent to a real PostgreSQL with pgaudit in every kind of statement that carries one: role
passwords good, misspelt and refused, user mappings, subscriptions, connection strings, DO bodies, error records with detail, hint and context,
parameters, invalid SQL, strings of several statements, log_statement and log_min_duration_statement, COPY PROGRAM, settings, comments.
The logs of the server, csvlog and jsonlog, and copies of them with torn and glued records are read by `run --once` and by `run --follow` with
JSON log lines and a metrics file. Then no secret may be anywhere:

* in any file of the lake and of the working folder, byte by byte: plans, receipts, state, Delta logs, footers, log lines, metrics;
* in any value, dictionary entry, statistic or metadata of any Parquet file, decompressed;
* in what run, status, check and query print.

What Documentation/Tables.md says is not recognised is planted too, and only reported. At least a hundred of the secrets must be in the server's logs,
or the test proves nothing. Exit status 1 when a secret is found; the folder is left then.
"""
import glob, os, random, re, shutil, signal, string, sys, time, warnings
from collections import Counter, defaultdict
import harness
import outcomes
from cluster import Cluster
from follow import Follower, Site, clean_up_when_stopped
from harness import Failure

SCHEMA = """
create extension pgaudit; create role alice login; create role bob login; create role dup; create table creds(name text, password text unique, note text not null default '');
create table plain(a text, b text); create function open_connection(text) returns int language sql as 'select 1'; create function two(text, text) returns int language sql as 'select 1';
create foreign data wrapper w; create server s foreign data wrapper w; create publication p; grant all on creds, plain to bob; create extension pgcrypto
"""

# Each kind: statements in which @ is the secret. (how, statement) or a statement of the simple protocol by the superuser.
KINDS = {
    "role, created": ["create role @r password '@'", "create user @r with encrypted password '@' valid until '2030-01-01'", "create role @r login password E'@'", "CREATE ROLE @r PASSWORD $$@$$",
                      "create user @r password '@' nologin", "create role @r\n  with login\n  password\n  '@'", "create group @r password 'x''@'"],
    "role, altered": ["alter role alice password '@'", "alter user alice with password '@' valid until 'infinity'", "ALTER ROLE bob ENCRYPTED PASSWORD '@'", "alter role alice/* , */password/**/'@'",
                      "alter user bob password U&'@'"],
    "role, misspelt": ["alter role alice passwor '@'", "alter user alice pasword '@'", "create role x passwd '@'", "alter rol alice password '@'", "alter role alice password \"@\"",
                       "alter role alice password ‘@’", "alter role alice password @", "create user x password = '@'", "alter role alice pwd '@'"],
    "role, refused": [("bob", "alter role alice password '@'"), ("bob", "create role evil password '@'"), "create role dup password '@'", "alter role nobody password '@'",
                      ("replica", "alter role alice password '@'"), ("aborted", "alter role alice password '@'")],
    "user mapping": ["create user mapping for alice server s options (user 'u', password '@')", "alter user mapping for alice server s options (set password '@')",
                     "create user mapping for bob server nowhere options (user 'u', password '@')", "create server @r foreign data wrapper w options (host 'h', password '@')",
                     ("bob", "create user mapping for bob server s options (password '@')")],
    "subscription": ["create subscription @r connection 'host=127.0.0.1 port=1 user=u password=@' publication p with (connect = false, slot_name = none)",
                     "create subscription @r connection 'host=127.0.0.1 port=1 password=@ dbname=x' publication p", "create subscription @r connection 'postgresql://u:@@127.0.0.1:1/db' publication p",
                     "alter subscription nowhere connection 'host=h password=@'", "alter subscription nowhere connection 'host=h password=''@'''"],
    "connection string": ["select open_connection('host=h user=u password=@')", "select open_connection('postgres://u:@@h/db')", "select open_connection('amqp://u:@@h:5672/v')",
                          "select dblink('dbname=x password=@', 'select 1')", "select dblink_connect('c', 'host=h password=''@'' user=u')", "select open_connection('jdbc:postgresql://h/db?user=u&password=@')",
                          "select two('x', 'Server=h;Uid=u;Pwd=@;')", "select open_connection(E'host=h\\npassword=@')", "select open_connection('https://u:@@h/x?y=1')"],
    "DO body": ["do $$ begin execute 'alter role alice password ''@'''; end $$", "do $x$ begin execute format('alter role alice password %L', '@') /* password */; perform set_config('a.password', '@', false); end $x$",
                "do $$ begin alter role alice password '@'; perform 1/0; end $$", "do $$ begin execute 'alter role nobody password ''@'''; end $$", "do $$ begin raise exception 'password=@'; end $$",
                "do 'begin alter role alice password ''''@''''; end'", "do $$ declare password text := '@'; begin perform 1; end $$"],
    "function body": ["create function @r() returns void language plpgsql as $$ begin alter role alice password '@'; end $$", "create function @r() returns void language sql as 'alter role alice password ''@'''",
                      "create procedure @r() language plpgsql as $f$ begin execute 'create role x password ''@'''; end $f$"],
    "error text": ["select 'password=@'::int", "select 'postgres://u:@@h/db'::inet", "do $$ begin raise exception 'x' using detail = 'password=@', hint = 'set password=@'; end $$",
                   "do $$ begin raise warning 'secret: %', 'password=@'; end $$", "do $$ begin execute 'selec password ''@'''; end $$", "do $$ begin raise log 'password=@'; end $$"],
    "parameter": [("extended", "select open_connection($1)", "host=h password=@"), ("extended", "select open_connection($1)", "postgresql://u:@@h/db"), ("extended", "select $1::int", "password=@"),
                  ("extended", "select two('x', $1)", "{\"password\": \"@\"}"), ("extended", "select open_connection($1)", "user=u password='@'")],
    "invalid SQL": ["alter role alice password '@", "selec password '@'", "create user x identified by '@'", "grant all on *.* to x identified by '@'", "alter role alice password '@' nosuchoption", "set password = '@' oops ((",
                    "alter user alice identified by @"],
    "several statements": ["select 1; alter role alice password '@'; select 2", "begin; create role @r password '@'; rollback", "alter role alice password '@'; select 1/0", "select open_connection('password=@'); select 2"],
    "log_statement": [("statement", "alter role alice password '@'"), ("statement", "create user @r password '@'"), ("statement", "select open_connection('password=@')"),
                      ("statement", "create user mapping for current_user server nowhere options (password '@')"), ("statement extended", "select open_connection($1)", "password=@")],
    "duration": [("duration", "alter role alice password '@'"), ("duration", "create user @r password '@'"), ("duration", "select open_connection('postgres://u:@@h')"),
                 ("duration extended", "select open_connection($1)", "password=@")],
    "COPY PROGRAM": ["copy (select 1) to program 'PGPASSWORD=@ true'", "copy plain from program 'true --password=@'", "copy (select 1) to program 'false https://u:@@h/x'", "copy plain from program 'PASSWORD=''@'' false'"],
    "setting": ["select set_config('app.secret', '@', false)", "set my.password = '@'", "alter system set primary_conninfo = 'host=h password=@'", "alter role alice set my.secret = '@'",
                "alter database app set my.db_password = '@'", "set my.pwd to '@'", "set application_name = 'password=@'"],
    "comment": ["select 1 /* password='@' */", "select 1 -- password '@'", "/* postgres://u:@@h/db */ select 2", "comment on role alice is 'password=@'"],
    "data": ["insert into creds(name, password) values ('a', '@')", "update creds set password = '@' where name = 'a'", "select * from creds where password = crypt('@', gen_salt('md5'))",
             "insert into creds (name, password) values ('b', 'same'), ('c', '@')", "update creds set (name, password) = ('d', '@') where name = 'zz'", "select * from creds where password in ('x', '@')"],
}
# pgaudit cuts the password out of a role statement that succeeds; log_statement does not.
KINDS["log_statement"] += [("statement", text) for kind in ("role, created", "role, altered") for text in KINDS[kind]]

# Documentation/Tables.md, “Not found is”.
KNOWN = {
    "another word": ["select two('token', '@')", "set my.api_key = '@'"],
    "a further misspelling, no quotes": ["alter role alice paswrd @"],
    "rest of an unquoted password": ["alter role alice password my @"],
    "no list of columns": ["insert into creds values ('x', '@', 'n')"],
    "parameter without a word": [("extended", "insert into creds(name, password) values ('p', $1)", "@")],
    "ordinary data": ["insert into plain values ('4111-@', 'x')"],
}


class Planter:
    def __init__(self, cluster, rng):
        self.cluster, self.rng, self.secrets, self.sessions, self.number = cluster, rng, {}, {}, 0

    def secret(self, kind):
        word = "Zx" + "".join(self.rng.choice(string.ascii_letters + string.digits) for _ in range(14))
        self.secrets[word] = kind
        return word

    def session(self, how):
        if how not in self.sessions:
            options = {"statement": "-c log_statement=all", "duration": "-c log_min_duration_statement=0"}.get(how, "" if how == "bob" else "-c pgaudit.log_rows=off")
            node = "replica" if how == "replica" else "primary"
            self.sessions[how] = self.cluster.connect(node, user="bob" if how == "bob" else "postgres", options=options)
        return self.sessions[how]

    def plant(self, kind, entry):
        how, text, parameter = entry if isinstance(entry, tuple) and len(entry) == 3 else (*entry, None) if isinstance(entry, tuple) else ("plain", entry, None)
        self.number += 1
        word, role = self.secret(kind), f"r{self.number}"

        def fill(t):
            return t.replace("@@", "\1").replace("@r", role).replace("@", word).replace("\1", word + "@")

        c = self.session(how.replace(" extended", "").replace("extended", "plain"))
        if how == "aborted":
            c.query("begin")
            c.query("select 1/0")
        if parameter is not None:
            c.execute(fill(text), [fill(parameter)])
        else:
            c.query(fill(text))
        if c.status in "TE":
            c.query("rollback")

    def close(self):
        for c in self.sessions.values():
            c.close()


def plant_all(cluster, rng):
    cluster.create_app(SCHEMA)
    time.sleep(1)                                                      # the replica has to have the roles; a late one only loses one secret
    planter = Planter(cluster, rng)
    for group in KINDS, KNOWN:
        for kind, entries in group.items():
            for entry in entries:
                planter.plant(kind, entry)
    planter.close()
    word = planter.secret("application name")                          # in the lines of the connection too
    cluster.connect(application=f"password={word}").close()
    return planter.secrets


def damaged(paths, folder, form, secrets, rng):
    """copies in which records with secrets are torn behind the secret, and glued to the next one; how many"""
    os.makedirs(folder)
    pattern, count = re.compile("|".join(w for w, k in secrets.items() if k not in KNOWN).encode()), 0
    torn, glued = open(os.path.join(folder, f"torn.{form}"), "wb"), open(os.path.join(folder, f"torn2.{form}"), "wb")
    whole = [r for p in paths for _, r in outcomes.raw_records(p) if r is not None]
    for index, record in enumerate(whole):
        found = list(pattern.finditer(record))
        if found and rng.random() < 0.7:
            at = min(len(record) - 1, found[-1].end() + rng.choice((1, 1, 2, 3, 8, 40)))
            target = rng.choice((torn, glued))
            target.write(record[:at] + (b"\n" if rng.random() < 0.3 else b""))
            if rng.random() < 0.8:
                target.write(rng.choice(whole) + b"\n")
            count += 1
    last = next(r for r in reversed(whole) if pattern.search(r))       # the end of the newest file, which waits
    glued.write(b"\n" + last[:pattern.search(last).end() + 1])
    torn.close()
    glued.close()
    now = time.time()
    os.utime(torn.name, (now - 100, now - 100))
    return count


# ---------------------------------------------------------------- looking

def texts_of_parquet(path):
    """every value, dictionary entry, statistic and piece of metadata"""
    import pyarrow as pa, pyarrow.parquet as pq
    with pq.ParquetFile(path) as file:
        yield "metadata", str(file.metadata.metadata), str(file.schema)
        strings = [c.path for c in (file.schema.column(i) for i in range(len(file.schema))) if c.physical_type == "BYTE_ARRAY"]
        for g in range(file.metadata.num_row_groups):
            for c in range(file.metadata.num_columns):
                s = file.metadata.row_group(g).column(c).statistics
                if s is not None and s.has_min_max:
                    yield "statistics", str(s.min), str(s.max)
        for batch in file.iter_batches():
            for name, column in zip(batch.schema.names, batch.columns):
                yield f"column {name}", str(column.to_pylist())
    with pq.ParquetFile(path, read_dictionary=strings) as file:
        table = file.read()
        for name in table.column_names:
            for chunk in table.column(name).chunks:
                if pa.types.is_dictionary(chunk.type):
                    yield f"dictionary of {name}", str(chunk.dictionary.to_pylist())


def search(folder, pattern):
    """(place, secret, what stands around it) of every find below a folder"""
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as f:
                data = f.read()
            for m in pattern.finditer(data):
                yield os.path.relpath(path, folder), m.group().decode(), around(data, m)
            if name.endswith(".parquet"):
                for place, *texts in texts_of_parquet(path):
                    for text in texts:
                        data = text.encode("utf-8", "replace")
                        for m in pattern.finditer(data):
                            yield f"{os.path.relpath(path, folder)}, {place}", m.group().decode(), around(data, m)


def around(data, m):
    return data[max(0, m.start() - 90):m.end() + 30].decode("utf-8", "replace")


def pipelines(logs):
    return {f"{group}_{form}": {"source": {"files": os.path.join(logs, group, f"*.{form}")}, "node": f"{group}_{form}"} for group in ("primary", "replica", "damaged") for form in ("csv", "json")
            if glob.glob(os.path.join(logs, group, f"*.{form}"))}


def follow(a, site, folder):
    """reads all with --follow, with what log lines and metrics there are"""
    said = site.command("run", "--help").stdout
    arguments = (["--log-format", "json"] if "--log-format" in said else []) + (["--metrics-file", os.path.join(site.folder, "metrics.prom")] if "--metrics-file" in said else [])
    with Follower(site, *arguments) as follower:
        follower.start()
        end, last, since = time.monotonic() + 60, None, time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < 3:
            follower.check()
            now = {n: len(s.numbers("receipts")) for n, s in site.streams.items()}
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.2)
        follower.stop(signal.SIGTERM)
    return arguments


def rows(site, name):
    from engines import read
    import harness
    stream = site.streams[name]
    count = lambda t, c: read("deltalake", t, [c]).num_rows if os.path.isdir(os.path.join(t, "_delta_log")) else 0
    return count(stream.table, "raw"), count(stream.quarantine, "raw")


def main():
    p = harness.arguments(__doc__, logs=False)
    a = p.parse_args()
    a.work = a.work or os.environ.get("TMPDIR") or "/tmp"
    folder = harness.prepare(a)
    os.chmod(folder, 0o755)
    clean_up_when_stopped()
    print(f"seed {a.seed}", flush=True)
    rng, logs, problems, started = random.Random(a.seed), os.path.join(folder, "logs"), [], time.monotonic()
    with Cluster(parent=folder) as cluster:
        secrets = plant_all(cluster, rng)
        cluster.stop()
        for node in ("primary", "replica"):
            shutil.copytree(os.path.join(cluster.base, f"log-{node}"), os.path.join(logs, node))
    pattern = re.compile("|".join(secrets).encode())

    # What the server wrote.
    logged = {form: {m.group().decode() for path in glob.glob(os.path.join(logs, "*", f"*.{form}")) for m in pattern.finditer(open(path, "rb").read())} for form in ("csv", "json")}
    for form, words in logged.items():
        n = sum(secrets[w] not in KNOWN for w in words)
        print(f"{form}: {n} secrets in the server's logs, and {len(words) - n} that are not recognised")
        if n < 100:
            problems.append(f"{form}: only {n} secrets are in the logs, so a hundred cannot be looked for")
    for form in ("csv", "json"):
        count = damaged(sorted(glob.glob(os.path.join(logs, "primary", f"*.{form}"))), os.path.join(logs, f"damaged_{form}"), form, secrets, rng)
        os.makedirs(os.path.join(logs, "damaged"), exist_ok=True)
        for path in glob.glob(os.path.join(logs, f"damaged_{form}", "*")):
            shutil.move(path, os.path.join(logs, "damaged"))
        os.rmdir(os.path.join(logs, f"damaged_{form}"))
        print(f"{form}: {count} records torn or glued behind a secret")

    # Through auditlake.
    places = []
    try:
        for way in ("--once", "--follow"):
            site = Site(a.binary, os.path.join(folder, way.strip("-")), pipelines(logs))
            if way == "--once":
                done = site.command("run", "--once", "--format", "json")
                said = done.stdout + done.stderr
            else:
                print(f"--follow {' '.join(os.path.basename(x) for x in follow(a, site, folder))}")
                said = ""
            for arguments in (["check"], ["check", "--format", "json"], ["status"], ["status", "--format", "json"], ["tables"],
                              ["query", "select * exclude (raw) from _auditlake.quarantine", "--format", "json"], ["query", "select * from pg.primary_csv", "--format", "csv"]):
                done = site.command(*arguments, check=False)
                said += done.stdout + done.stderr
            with open(os.path.join(site.folder, "said.txt"), "w") as f:
                f.write(said)
            print(f"{way}: " + ", ".join(f"{n} {r} rows {q} in quarantine" for n in site.streams for r, q in [rows(site, n)]), flush=True)
            if not any(rows(site, n)[1] for n in site.streams if n.startswith("damaged")):
                problems.append(f"{way}: nothing is in quarantine, so it was not looked at")
            places += [(f"{way} {place}", word, text) for place, word, text in search(site.folder, pattern)]
    except Failure as e:
        problems.append(str(e))

    # The report.
    found = defaultdict(dict)
    for place, word, text in places:
        found[word].setdefault(re.sub(r"[^/]*parquet|\d{20}", "…", place), text)
    by_kind, kept = Counter(secrets.values()), Counter(secrets[w] for w in found)
    print(f"{'kind':<34}{'planted':>8}{'logged':>8}{'found':>7}")
    for kind in by_kind:
        print(f"{kind:<34}{by_kind[kind]:>8}{sum(secrets[w] == kind for w in logged['csv'] | logged['json']):>8}{kept[kind]:>7}" + ("   documented as not recognised" if kind in KNOWN else ""))
    for word, where in found.items():
        if secrets[word] not in KNOWN:
            place, text = min(where.items(), key=lambda x: ("dictionary" in x[0], len(x[0])))
            problems.append(f"{secrets[word]}: {word} in {len(where)} kinds of places, such as {place}: {text!r}")
    for problem in problems:
        print(f"  {problem}")
    return harness.conclude(a, folder, problems, started)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(main())
