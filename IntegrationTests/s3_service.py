"""Services of S3 for tests. The one here is moto, which checks each signature by botocore's code and each right by IAM's; radosgw.py has another.

    with Service(folder) as service:        # a bucket, and a user who may do all; the environment's AWS variables are his
        service.objects("prefix/")          # as boto3 sees them
"""
import json, os, re, socket, subprocess, sys, time
from collections import Counter
import boto3, botocore.config, botocore.exceptions

BUCKET, REGION = "lake", "us-east-1"
# Calls that moto lets pass without keys, before it checks all: those that make the first user and the bucket.
OPEN_CALLS = 4
REQUEST = re.compile(rb'"([A-Z]+) (\S+) HTTP/[\d.]+" (\d+)')
COLOUR = re.compile(rb"\x1b\[[\d;]*m")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Endpoint:
    """where a service listens, and what all of them have: a bucket, a user who may do all, and a log that names each request"""

    def __init__(self, folder, port, scheme="http"):
        self.folder, self.port, self.endpoint, self.told = folder, port, f"{scheme}://localhost:{port}", 0

    def __enter__(self):
        os.environ |= self.environment
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def environment(self):
        """what programs need to know to be the user"""
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}

    def client(self, service="s3", key=None, secret=None):
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=key or self.key, aws_secret_access_key=secret or self.secret,
                            config=botocore.config.Config(s3={"addressing_style": "path"}))

    def objects(self, prefix):
        """entity tag and size of each object by key"""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {o["Key"]: (o["ETag"], o["Size"]) for page in pages for o in page.get("Contents", [])}

    def requests(self, path=f"/{BUCKET}"):
        """the requests since the last call, as method, path and status, in their order"""
        with open(self.log, "rb") as f:
            f.seek(self.told)
            data = f.read()
        data = data[:data.rfind(b"\n") + 1]                            # a line that is being written is for the next call
        self.told += len(data)
        found = [tuple(part.decode() for part in r) for r in REQUEST.findall(COLOUR.sub(b"", data))]
        return [r for r in found if r[1].startswith(path)]


class Service(Endpoint):
    """moto in a process of its own; everything it holds goes with it"""

    def __init__(self, folder, certificate=None):
        """`certificate`: the files of a certificate and its key, for https"""
        super().__init__(folder, free_port(), "https" if certificate else "http")
        self.log = os.path.join(folder, "moto.log")
        tls = ["-s", "-c", certificate[0], "-k", certificate[1]] if certificate else []
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "moto_server.py"), "-H", "127.0.0.1", "-p", str(self.port), *tls],
                env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(OPEN_CALLS)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait()
            self.key, self.secret = self._prepare()
            if not self._enforces():
                sys.exit("moto does not check signatures")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def user(self, name, *statements, iam=None):
        """makes a user with these rights; his keys"""
        iam = iam or self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
        keys = iam.create_access_key(UserName=name)["AccessKey"]
        return keys["AccessKeyId"], keys["SecretAccessKey"]

    def _wait(self):
        for _ in range(600):
            if self.process.poll() is not None:
                sys.exit("moto ended at once")
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        sys.exit("moto does not listen")

    def _prepare(self):
        keys = self.user("tester", {"Effect": "Allow", "Action": "*", "Resource": "*"}, iam=self.client("iam", "none", "none"))
        self.client("s3", "none", "none").create_bucket(Bucket=BUCKET)
        return keys

    def _enforces(self):
        """whether the user is let in, and one with a wrong secret or without a name is not"""
        return not self._refuses(self.key, self.secret) and self._refuses(self.key, "wrong") and self._refuses("none", "none")

    def _refuses(self, key, secret):
        try:
            self.client("s3", key, secret).list_objects_v2(Bucket=BUCKET)
            return False
        except botocore.exceptions.ClientError as e:
            return e.response["Error"]["Code"] in ("InvalidAccessKeyId", "SignatureDoesNotMatch")


def kind(request):
    """what a request is for, in a word or two"""
    method, path, status = request
    key = path.split("?")[0]
    missing = " 404" if status == "404" else ""
    if method == "GET" and "list-type=2" in path:
        return "LIST"
    places = (("/_delta_log/_last_checkpoint", "last checkpoint"), ("/_delta_log/", "log"), ("/_auditlake/names/", "claim"), ("/plans/", "plan"), ("/receipts/", "receipt"),
              (".parquet", "data"), ("/main/_auditlake/", "system table"), ("/_auditlake/", "state"))
    return f"{method} {next((word for part, word in places if part in key), 'source')}{missing}"


def counted(requests):
    return Counter(map(kind, requests))
