"""A fresh PostgreSQL primary and replica for one test (services/pgcluster.sh), and a client that speaks the wire protocol itself, so that a test
knows of every statement what the server said: which of its parts were completed, the SQLSTATE, and the state of the transaction afterwards.
Needs nothing but Python.
"""
import os, shutil, socket, struct, subprocess, tempfile

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "services", "pgcluster.sh")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """started by `with`, stopped and wiped at its end"""

    def __init__(self, rotation="1MB", parent=None):
        self.folder = tempfile.mkdtemp(prefix="auditlake-pg-", dir=parent or os.environ.get("TMPDIR") or "/tmp")
        os.chmod(self.folder, 0o755)
        self.base = os.path.join(self.folder, "c")
        self.port, self.replica_port = free_port(), free_port()
        self.environment = os.environ | {"PGC_BASE": self.base, "PGC_PORT": str(self.port), "PGC_RPORT": str(self.replica_port), "PGC_ROT": rotation, "PGC_BIG": "20000"}

    def script(self, stage, **more):
        done = subprocess.run([SCRIPT, stage], env=self.environment | more, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
        if stage == "start" and done.returncode != 0:
            raise RuntimeError(f"pgcluster.sh {stage}: {done.stderr[-2000:]} {done.stdout[-500:]}")

    def logs(self, node, form):
        return os.path.join(self.base, f"log-{node}", f"*.{form}")

    def connect(self, node="primary", **more):
        return Connection(os.path.join(self.base, "sock"), self.port if node == "primary" else self.replica_port, **more)

    def create_app(self, schema):
        """the database app, and what is in it"""
        root = self.connect(database="postgres")
        root.query("create database app")
        root.close()
        admin = self.connect()
        r = admin.query(schema)
        if r.error:
            raise RuntimeError(f"{r.error} {r.message}")
        admin.close()

    def stop(self):
        self.script("stop")

    def __enter__(self):
        try:
            self.script("start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.script("wipe")
        shutil.rmtree(self.folder, ignore_errors=True)


class Result:
    """what the server answered"""

    def __init__(self):
        self.tags, self.error, self.message, self.rows = [], None, None, []


class Connection:
    def __init__(self, folder, port, user="postgres", database="app", application="proof", options="", password=None):
        self.path, self.buffer, self.status, self.key = f"{folder}/.s.PGSQL.{port}", b"", "I", None
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(self.path)
        pairs = [("user", user), ("database", database), ("application_name", application)] + ([("options", options)] if options else [])
        body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in pairs) + b"\0"
        self.socket.sendall(struct.pack("!ii", len(body) + 8, 196608) + body)
        first = self.ready()
        if first.error:
            raise ConnectionError(first.message)

    def take(self, n):
        while len(self.buffer) < n:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def send(self, kind, body):
        self.socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def ready(self, copy=None):
        """the server's messages until it is ready; `copy` is what a COPY FROM STDIN gets"""
        r = Result()
        while True:
            kind, length = struct.unpack("!ci", self.take(5))
            body = self.take(length - 4)
            if kind == b"E" and r.error is None:
                fields = dict((f[:1], f[1:].decode("utf-8", "replace")) for f in body.split(b"\0") if f)
                r.error, r.message = fields[b"C"], fields[b"M"]
                if fields[b"S"] == "FATAL":
                    self.status = "X"
                    return r
            elif kind == b"C":
                r.tags.append(body[:-1].decode())
            elif kind == b"D":
                at, row = 2, []
                for _ in range(struct.unpack("!h", body[:2])[0]):
                    size = struct.unpack("!i", body[at:at + 4])[0]
                    at += 4
                    row.append(None if size < 0 else body[at:at + size].decode("utf-8", "replace"))
                    at += max(size, 0)
                r.rows.append(row)
            elif kind == b"G":
                self.send(b"d", (copy or "").encode())
                self.send(b"c", b"")
            elif kind == b"K":
                self.key = struct.unpack("!ii", body)
            elif kind == b"Z":
                self.status = body.decode()
                return r

    def query(self, sql, copy=None, wait=True):
        """the simple protocol"""
        self.send(b"Q", sql.encode() + b"\0")
        return self.ready(copy) if wait else None

    def execute(self, sql, parameters):
        """the extended protocol, up to Sync"""
        self.send(b"P", b"\0" + sql.encode() + b"\0" + struct.pack("!h", 0))
        body = b"\0\0" + struct.pack("!hh", 0, len(parameters))
        for p in parameters:
            data = None if p is None else str(p).encode()
            body += struct.pack("!i", -1) if data is None else struct.pack("!i", len(data)) + data
        self.send(b"B", body + struct.pack("!h", 0))
        self.send(b"D", b"P\0")
        self.send(b"E", b"\0" + struct.pack("!i", 0))
        self.send(b"S", b"")
        return self.ready()

    def cancel(self):
        """asks the server to cancel what runs"""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            s.sendall(struct.pack("!iiii", 16, 80877102, *self.key))

    def value(self, sql):
        r = self.query(sql)
        if r.error:
            raise RuntimeError(f"{sql}: {r.error} {r.message}")
        return r.rows[0][0] if r.rows else None

    def close(self):
        try:
            self.send(b"X", b"")
        except OSError:
            pass
        self.socket.close()
