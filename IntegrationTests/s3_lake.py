"""Workspaces whose lake lies in a bucket, for tests that know lakes on disk.

`lake` is then a copy of the bucket's objects on disk, made by boto3 and brought up to date whenever plans or receipts are listed; what is asked of it next
holds as of then.
"""
import contextlib, datetime, json, os
import botocore.exceptions
import pyarrow.parquet as pq
import databricks_lake, engines
from s3_service import BUCKET, REGION, Service


class Copy:
    """the objects below a prefix, in a folder"""

    def __init__(self, service, prefix, folder):
        self.service, self.prefix, self.folder, self.client, self.has = service, prefix, folder, service.client(), {}

    def update(self):
        there = self.service.objects(f"{self.prefix}/")
        for key in self.has.keys() - there.keys():
            os.remove(self.path(key))
            del self.has[key]
        for key, version in there.items():
            if self.has.get(key) != version:
                self._fetch(key, version)

    def path(self, key):
        return os.path.join(self.folder, key[len(self.prefix) + 1:])

    def key(self, path):
        return f"{self.prefix}/{os.path.relpath(path, self.folder)}"

    def remove(self, path):
        """takes an object away from the bucket, by the path of its copy"""
        self.client.delete_object(Bucket=BUCKET, Key=self.key(path))
        self.update()

    def _fetch(self, key, version):
        try:
            data = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except botocore.exceptions.ClientError:                        # it went away after it was listed
            return
        os.makedirs(os.path.dirname(self.path(key)), exist_ok=True)
        with open(self.path(key), "wb") as f:
            f.write(data)
        self.has[key] = version


def in_bucket(kind, service, prefix=None, **store):
    """the kind of workspace, with its lake in the service's bucket; `prefix`: that of a lake that has another workspace, too; `store`: further keys of object_stores"""

    class InBucket(kind):
        def __init__(self, binary, folder, *files, **keys):
            self.prefix = prefix or "/".join(os.path.normpath(folder).split("/")[-2:])
            self.url = f"s3://{BUCKET}/{self.prefix}"
            self.copy = Copy(service, self.prefix, os.path.join(folder, "lake"))
            super().__init__(binary, folder, *files, **keys)

        def write_configuration(self, settings, lake="./lake", extra=""):
            super().write_configuration(settings, self.url, extra + f"object_stores:\n  {BUCKET}: {json.dumps({'endpoint': service.endpoint} | store)}\n")

        def numbers(self, kind):
            self.copy.update()
            return super().numbers(kind)

        def remove(self, path):
            self.copy.remove(path)

    return InBucket


# ---------------------------------------------------------------- tests that have their lakes on disk or in a bucket

def add_option(parser):
    parser.add_argument("--s3", action="store_true", help="lakes in a bucket of moto")


@contextlib.contextmanager
def chosen(a, folder):
    """what makes a kind of workspace one with its lake where the command line says"""
    if not a.s3:
        yield lambda kind: kind
        return
    with Service(folder) as service:
        yield lambda kind: in_bucket(kind, service)


# ---------------------------------------------------------------- the same tables over S3, by readers that share no code with each other

READERS = ("deltalake", "polars", "auditlake")


def read(reader, workspace, name, columns=None):
    """a table, read from the bucket, as `engines.read` gives it"""
    log = engines.Log(workspace.place(name))
    columns = list(log.fields if columns is None else columns)
    return engines.canonical(globals()["_" + reader](workspace, name, columns), log, columns)


def differences(workspace, name, keys, readers=READERS):
    """where a table in the bucket differs from what delta-rs has of its copy on disk; `keys`: columns that tell rows apart. How many rows it has, and a list of problems"""
    known, problems = engines.read("deltalake", workspace.place(name)), []
    for reader in readers:
        table = read(reader, workspace, name)
        problems += databricks_lake.compare_rows(f"{name} in {reader}", table.column_names, keys, _rows(table), _rows(known))
    return known.num_rows, problems


def _rows(table):
    return list(zip(*(databricks_lake.plain(table.column(c)) for c in table.column_names)))


def options(workspace):
    return {"AWS_ENDPOINT_URL": workspace.copy.service.endpoint, "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
            "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}


def table_url(workspace, name):
    return f"{workspace.url}/main/{name.replace('.', '/', 1)}"


def _deltalake(workspace, name, columns):
    from deltalake import DeltaTable
    return DeltaTable(table_url(workspace, name), storage_options=options(workspace)).to_pyarrow_table(columns=columns)


def _polars(workspace, name, columns):
    import polars as pl
    return pl.scan_delta(table_url(workspace, name), storage_options=options(workspace)).select(columns).collect().to_arrow()


def _auditlake(workspace, name, columns):
    """DuckDB, as `auditlake query` has it read the bucket"""
    result = os.path.join(workspace.folder, "result.parquet")
    done = workspace.run("query", f"select {', '.join(map(engines.quoted, columns))} from {'.'.join(map(engines.quoted, name.split('.')))}", "--format", "parquet", "--output", result)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    table = pq.read_table(result)
    os.remove(result)
    return table


# ---------------------------------------------------------------- Databricks events that lie in the bucket too

def delivered(service, **store):
    """a lake of Databricks events in a bucket that their files are delivered into, too

    `events` has the files as they were read last.
    """

    class Delivered(in_bucket(databricks_lake.EventLake, service, **store)):
        def configure(self, files, **keys):
            super().configure(f"s3://{BUCKET}/{self.source}/**/*.json*", **keys)

        @property
        def source(self):
            return f"{self.prefix}-source"

        def deliver(self, name, data, is_read=True, days_ago=0):
            """puts an object; `is_read`: nothing keeps it from being read; `days_ago`: when moto is to say that it was put"""
            if is_read:
                path = os.path.join(self.events, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(data)
            time_ = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0) - datetime.timedelta(days=days_ago)
            self.copy.client.put_object(Bucket=BUCKET, Key=f"{self.source}/{name}", Body=data, Metadata={"delivered": time_.isoformat()} if days_ago else {})

        def withdraw(self, name):
            self.copy.client.delete_object(Bucket=BUCKET, Key=f"{self.source}/{name}")

        def name_of(self, path):
            return f"s3://{BUCKET}/{self.source}/{os.path.relpath(path, self.events)}"

        def path_of(self, name):
            return os.path.join(self.events, name.removeprefix(f"s3://{BUCKET}/{self.source}/"))

        def rows(self, reader, name):
            return read(reader, self, name)

    return Delivered
