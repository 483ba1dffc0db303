#!/usr/bin/env python3
"""s3_client_test.py

The client of S3 against moto, which checks every signature by botocore's code and every right by IAM's: starts moto with a user who may do all, takes
anonymous rights away, and runs the unit tests that want a real service (S3ServiceTests; the debug build must be there). That moto does refuse what is
signed wrongly is part of those tests, and seen here once more without our code.

Exit status 1 when a test fails.
"""
import json, os, socket, subprocess, sys, tempfile, time
import boto3, botocore.exceptions

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUCKET = "lake"
# Calls that moto lets pass without keys, before it checks all: those of `prepare`.
OPEN_CALLS = 4


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(port, log):
    server = subprocess.Popen(
        [os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
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


def main():
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        server = start(port, log)
        try:
            key, secret = prepare(endpoint)
            if refuses(endpoint, key, secret) or not refuses(endpoint, key, "wrong") or not refuses(endpoint, "none", "none"):
                sys.exit("moto does not check signatures")
            done = subprocess.run(
                ["swift", "test", "--skip-build", "--filter", "S3ServiceTests"], cwd=ROOT, stdin=subprocess.DEVNULL,
                env={**os.environ, "AUDITLAKE_S3_ENDPOINT": endpoint, "AUDITLAKE_S3_BUCKET": BUCKET, "AWS_ACCESS_KEY_ID": key,
                     "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"})
        finally:
            server.terminate()
            server.wait()
    sys.exit(1 if done.returncode else 0)


if __name__ == "__main__":
    main()
