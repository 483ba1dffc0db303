"""Stands between auditlake and PostgreSQL as Redshift would: passes on what both understand, and does what Redshift alone does.

It speaks the wire protocol, so that auditlake says to it what it would say to Redshift. Three things are its own: SORTKEY is taken off CREATE TABLE; COPY from a manifest reads the
manifest and its Parquet files from the bucket as Redshift's documentation says (every file is there and has the size that the manifest says; columns by position, as many as the
table has) and gives the rows to PostgreSQL; and it can answer a statement with an error that Redshift makes. In the database, `super` is a domain over jsonb, json_parse
makes one of a text, and getdate is now. Every statement that came is kept, for a parser of Redshift's dialect.
"""
import io, json, re, socket, struct, threading
import pyarrow as pa, pyarrow.parquet as pq

SETUP = """
CREATE DOMAIN super AS jsonb;
CREATE FUNCTION getdate() RETURNS timestamp LANGUAGE sql AS $$ SELECT now() AT TIME ZONE 'UTC' $$;
CREATE FUNCTION json_parse(text) RETURNS super LANGUAGE sql IMMUTABLE AS 'SELECT $1::jsonb::super';
CREATE TABLE sys_load_error_detail (session_id int, start_time timestamp, file_name char(256), line_number bigint, column_name char(127), error_message char(512));
CREATE FUNCTION note_load_error(text) RETURNS void LANGUAGE sql AS $$ INSERT INTO sys_load_error_detail VALUES (pg_backend_pid(), now(), $1, 7, 'statement', 'String length exceeds DDL length') $$;
"""
COPY = re.compile(r"""COPY "auditlake_stage" FROM 's3://([^/]+)/([^']+)' (IAM_ROLE '[^']+'|ACCESS_KEY_ID '[^']+' SECRET_ACCESS_KEY '[^']+'(?: SESSION_TOKEN '[^']+')?) FORMAT AS PARQUET MANIFEST""")


class Refused(Exception):
    pass


def cell(value):
    """a value in COPY's text format"""
    if value is None:
        return "\\N"
    text = {True: "t", False: "f"}[value] if isinstance(value, bool) else str(value)
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


class StandIn:
    def __init__(self, server, bucket):
        """`bucket`: a client of boto3"""
        self.server, self.bucket, self.statements, self.failures, self.copied, self.lock = server, bucket, [], [], 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def fail(self, pattern, state, message, times=1):
        """answers the next statements with the pattern in them with an error"""
        self.failures.append([pattern, state, message, times])

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.server.port))
        try:
            Session(self, client, server).run()
        except (OSError, EOFError):
            pass
        finally:
            client.close()
            server.close()


class Session:
    def __init__(self, stand_in, client, server):
        self.s, self.client, self.server = stand_in, client, server

    def take(self, source, n):
        data = b""
        while len(data) < n:
            piece = source.recv(n - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def message(self, source):
        kind, length = struct.unpack("!ci", self.take(source, 5))
        return kind, self.take(source, length - 4)

    @staticmethod
    def send(target, kind, body):
        target.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def run(self):
        length, = struct.unpack("!i", self.take(self.client, 4))
        self.server.sendall(struct.pack("!i", length) + self.take(self.client, length - 4))
        if length == 16:                                               # a request to cancel has no answer
            return
        self.answers(until=b"Z")
        while True:
            kind, body = self.message(self.client)
            if kind == b"Q":
                self.query(body[:-1].decode())
            else:
                self.send(self.server, kind, body)
                if kind == b"X":
                    return

    def answers(self, until, to_client=True):
        """passes the server's messages on up to one of a kind, also what the server asks while it looks who it is"""
        while True:
            kind, body = self.message(self.server)
            if to_client:
                self.send(self.client, kind, body)
            if kind == b"R" and struct.unpack("!i", body[:4])[0] in (3, 5, 10, 11):
                self.send(self.server, *self.message(self.client))
            if kind in until:
                return kind, body

    def error(self, state, message):
        self.send(self.client, b"E", b"".join(k + v.encode() + b"\0" for k, v in ((b"S", "ERROR"), (b"V", "ERROR"), (b"C", state), (b"M", message))) + b"\0")
        self.send(self.client, b"Z", b"I")

    def query(self, sql):
        with self.s.lock:
            self.s.statements.append(sql)
            failure = next((f for f in self.s.failures if f[0] in sql and f[3] > 0), None)
            if failure:
                failure[3] -= 1
        if failure:
            if "load" in failure[2]:
                manifest = COPY.match(sql)
                self.quietly(f"SELECT note_load_error('s3://{manifest[1]}/{manifest[2]}')")
            return self.error(failure[1], failure[2])
        if sql.startswith("COPY "):
            try:
                rows = self.rows(sql)
            except Refused as e:
                return self.error("XX000", str(e))
            self.send(self.server, b"Q", b'COPY "auditlake_stage" FROM STDIN\0')
            kind, _ = self.answers(until=b"GE", to_client=False)
            if kind == b"G":
                for start in range(0, len(rows), 1 << 20):
                    self.send(self.server, b"d", rows[start:start + (1 << 20)])
                self.send(self.server, b"c", b"")
            self.answers(until=b"Z")
            return
        self.send(self.server, b"Q", re.sub(r"^(CREATE TABLE .*) SORTKEY \(.*\)$", r"\1", sql).encode() + b"\0")
        self.answers(until=b"Z")

    def quietly(self, sql):
        self.send(self.server, b"Q", sql.encode() + b"\0")
        self.answers(until=b"Z", to_client=False)

    def rows(self, sql):
        """the rows of a manifest's files, as Redshift's COPY takes them"""
        found = COPY.fullmatch(sql)
        if not found:
            raise Refused(f"syntax error in {sql}")
        manifest = json.loads(self.get(found[1], found[2]))
        lines = []
        for entry in manifest["entries"]:
            if entry["mandatory"] is not True or not entry["url"].startswith("s3://"):
                raise Refused(f"an entry that may be missing: {entry}")
            bucket, key = entry["url"][5:].split("/", 1)
            data = self.get(bucket, key)
            if entry["meta"]["content_length"] != len(data):
                raise Refused(f"{key} has {len(data)} bytes, the manifest says {entry['meta']['content_length']}")
            table = pq.read_table(io.BytesIO(data))
            for n, field in enumerate(table.schema):
                if pa.types.is_timestamp(field.type):                  # a column without a zone takes the instant in UTC
                    table = table.set_column(n, field.name, table.column(n).cast(pa.timestamp("us")))
                elif pa.types.is_nested(field.type):
                    raise Refused(f"column {field.name} of {key} is nested")
                elif pa.types.is_string(field.type) and max((len(v.encode()) for v in table.column(n).to_pylist() if v is not None), default=0) > 65535:
                    raise Refused(f"column {field.name} of {key} has a text of more than 65,535 bytes")
            lines += ["\t".join(map(cell, row)) for row in zip(*(c.to_pylist() for c in table.columns))]
            with self.s.lock:
                self.s.copied += table.num_rows
        return "".join(f"{line}\n" for line in lines).encode()

    def get(self, bucket, key):
        try:
            return self.s.bucket.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self.s.bucket.exceptions.NoSuchKey:
            raise Refused(f"the object {key} of the manifest is not there")
