"""A PostgreSQL server for one test, as an unprivileged user on a free port, and a lake whose table is loaded into it.

Needs psycopg. The server's files go where the test's other files go, and away with them.
"""
import datetime, json, os, pwd, shutil, subprocess, tempfile
import deltalake, psycopg, pyarrow as pa
import harness
from cluster import free_port
from harness import Failure

BIN = "/usr/lib/postgresql/15/bin"
PASSWORD = "w4re-h0use/p@ss"
QUOTED = "w4re-h0use%2Fp%40ss"


class Server:
    """started by `with`, stopped and wiped at its end"""

    def __init__(self, parent, settings=(), data=None):
        self.folder = tempfile.mkdtemp(prefix="server-", dir=parent)
        os.chmod(self.folder, 0o755)
        self.data, self.port, self.settings = data or os.path.join(self.folder, "data"), free_port(), settings
        self.user = "postgres" if os.getuid() == 0 else None

    def command(self, name, *arguments, check=True):
        command = [os.path.join(BIN, name), *arguments]
        if self.user:
            command = ["setpriv", "--reuid", self.user, "--regid", self.user, "--init-groups", *command]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stderr[-1000:]} {done.stdout[-1000:]}")
        return done

    def __enter__(self):
        os.makedirs(self.data, exist_ok=True)
        if self.user:
            user = pwd.getpwnam(self.user)
            for folder in (self.folder, self.data):
                os.chown(folder, user.pw_uid, user.pw_gid)
            parent = os.path.dirname(self.folder)
            while parent != "/":                                       # the server's user has to come through
                if not os.stat(parent).st_mode & 0o005 == 0o005:
                    os.chmod(parent, os.stat(parent).st_mode | 0o011)
                parent = os.path.dirname(parent)
        password = os.path.join(self.folder, "password")
        with open(password, "w") as f:
            f.write(PASSWORD)
        os.chmod(password, 0o644)
        self.command("initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256", "--pwfile", password, "--no-sync")
        options = {"port": self.port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''", "fsync": "off", "shared_buffers": "32MB", "log_min_messages": "log"}
        with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
            f.write("".join(f"{k} = {v}\n" for k, v in (options | dict(self.settings)).items()))
        self.start()
        return self

    def start(self):
        self.command("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", os.path.join(self.folder, "log"), "start")

    def stop(self, mode="immediate"):
        self.command("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop", check=False)

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, user="postgres", database="postgres", password=None, **parameters):
        tail = "&".join(f"{k}={v}" for k, v in parameters.items())
        return f"postgresql://{user}:{password or '${DWH_PASSWORD}'}@127.0.0.1:{self.port}/{database}{'?' + tail if tail else ''}"

    def connect(self, user="postgres", password=PASSWORD, **more):
        return psycopg.connect(host="127.0.0.1", port=self.port, user=user, password=password, dbname="postgres", autocommit=True, **more)

    def sql(self, statement, *values):
        """the rows of a statement"""
        with self.connect() as c:
            cursor = c.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []


def environment():
    return harness.environment(DWH_PASSWORD=QUOTED)


def warehouses(url):
    return f'warehouses:\n  dwh: {{kind: postgres, url: "{url}"}}\n'


def load(w, *arguments, status=0, binary=None, **options):
    """what a load says: its report, or its error"""
    done = w.run("load", "--format", "json", *arguments, **({"env": environment()} | options))
    if done.returncode != status:
        raise Failure(f"load {' '.join(arguments)} ended with {done.returncode}, not {status}, and said: {done.stderr.strip() or done.stdout.strip()}")
    for secret in (PASSWORD, QUOTED):
        if secret in done.stdout + done.stderr:
            raise Failure(f"load shows the password: {done.stderr}")
    return json.loads(done.stdout)[0] if status == 0 else done.stderr


# ---------------------------------------------------------------- a lake's rows beside a server's

def plain(value):
    """a value of either side in one form"""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value


def loaded(value, kind):
    """what a server has of a value of a type of Arrow's: no NUL characters, structures and maps as JSON"""
    if value is None:
        return None
    if pa.types.is_map(kind):
        return {loaded(k, kind.key_type): loaded(v, kind.item_type) for k, v in value}
    if pa.types.is_list(kind):
        return [loaded(v, kind.value_type) for v in value]
    if pa.types.is_struct(kind):
        return {f.name: loaded(value[f.name], f.type) for f in kind if value[f.name] is not None}
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def lake_rows(path):
    """the rows of a table of the lake, as delta-rs reads them: column names and sorted rows"""
    table = deltalake.DeltaTable(path).to_pyarrow_dataset().to_table()
    names = table.schema.names
    columns = [[plain(loaded(v, table.schema.field(n).type)) for v in table.column(n).to_pylist()] for n in names]
    return names, sorted(zip(*columns), key=repr)


def server_rows(server, target, names):
    quoted = ", ".join('"' + n.replace('"', '""') + '"' for n in names)
    rows = server.sql(f"SELECT {quoted} FROM {target}")
    return sorted((tuple(plain(v) for v in row) for row in rows), key=repr)


def compare(w, server, target, path=None):
    """how the target differs from the lake's table: a text, or None"""
    names, wanted = lake_rows(path or w.table)
    found = server_rows(server, target, names)
    if found == wanted:
        return None
    if len(found) != len(wanted):
        return f"{len(found)} rows in {target}, {len(wanted)} in the lake"
    for a, b in zip(wanted, found):
        for n, x, y in zip(names, a, b):
            if x != y:
                return f"column {n}: lake {x!r:.200}, warehouse {y!r:.200}"


def with_server(body, **options):
    """calls `body` with a server"""
    with tempfile.TemporaryDirectory(prefix="auditlake-dwh-") as folder:
        os.chmod(folder, 0o755)
        with Server(folder, **options) as server:
            return body(server)
