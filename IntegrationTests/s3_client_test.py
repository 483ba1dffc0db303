#!/usr/bin/env python3
"""s3_client_test.py

The client of S3 against moto, over http and https. moto checks every signature by botocore's code and every right by IAM's: it gets a user who may do
all, anonymous rights are taken away, and the unit tests that want a real service run (S3ServiceTests; the debug build must be there). That moto does
refuse what is signed wrongly is part of those tests, and seen here once more without our code.

Exit status 1 when a test fails.
"""
import datetime, json, os, socket, subprocess, sys, tempfile, time
import boto3, botocore.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUCKET = "lake"
# Calls that moto lets pass without keys, before it checks all: those of `prepare`.
OPEN_CALLS = 4


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def certificate(folder):
    """a certificate of this machine that vouches for itself, and its key: two files"""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256()))
    paths = [os.path.join(folder, n) for n in ("certificate.pem", "key.pem")]
    with open(paths[0], "wb") as f:
        f.write(made.public_bytes(serialization.Encoding.PEM))
    with open(paths[1], "wb") as f:
        f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return paths


def start(port, log, files):
    tls = ["-s", "-c", files[0], "-k", files[1]] if files else []
    server = subprocess.Popen(
        [os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(port), *tls],
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(OPEN_CALLS)}, stdout=log, stderr=log)
    for _ in range(600):
        if server.poll() is not None:
            sys.exit("moto ended at once")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.1)
    sys.exit("moto does not listen")


def client(service, endpoint, key="none", secret="none"):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret)


def prepare(endpoint):
    """a user with all rights and a bucket; the user's keys"""
    iam = client("iam", endpoint)
    iam.create_user(UserName="tester")
    rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName="tester", PolicyName="all", PolicyDocument=json.dumps(rights))
    keys = iam.create_access_key(UserName="tester")["AccessKey"]
    client("s3", endpoint).create_bucket(Bucket=BUCKET)
    return keys["AccessKeyId"], keys["SecretAccessKey"]


def refuses(endpoint, key, secret):
    try:
        client("s3", endpoint, key, secret).list_objects_v2(Bucket=BUCKET)
        return False
    except botocore.exceptions.ClientError as e:
        return e.response["Error"]["Code"] in ("InvalidAccessKeyId", "SignatureDoesNotMatch")


def tests(scheme, folder):
    """whether the tests pass over http or https"""
    files = certificate(folder) if scheme == "https" else None
    port = free_port()
    endpoint = f"{scheme}://localhost:{port}"
    environment = {**os.environ, "AUDITLAKE_S3_ENDPOINT": endpoint, "AUDITLAKE_S3_BUCKET": BUCKET, "AWS_REGION": "us-east-1",
                   "AWS_EC2_METADATA_DISABLED": "true"}
    if files:
        environment["AWS_CA_BUNDLE"] = os.environ["AWS_CA_BUNDLE"] = files[0]
    with open(os.path.join(folder, "moto.log"), "ab") as log:
        server = start(port, log, files)
        try:
            key, secret = prepare(endpoint)
            if refuses(endpoint, key, secret) or not refuses(endpoint, key, "wrong") or not refuses(endpoint, "none", "none"):
                sys.exit("moto does not check signatures")
            environment |= {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
            print(f"-- {scheme}", flush=True)
            return subprocess.run(["swift", "test", "--skip-build", "--filter", "S3ServiceTests"], cwd=ROOT, stdin=subprocess.DEVNULL,
                                  env=environment).returncode == 0
        finally:
            server.terminate()
            server.wait()


def main():
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if all([tests("http", folder), tests("https", folder)]) else 1)


if __name__ == "__main__":
    main()
