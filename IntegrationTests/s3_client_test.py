#!/usr/bin/env python3
"""s3_client_test.py

The client of S3 against moto, over http and https. moto checks every signature by botocore's code and every right by IAM's: it gets a user who may do
all, anonymous rights are taken away, and the unit tests that want a real service run (S3ServiceTests; the debug build must be there). That moto does
refuse what is signed wrongly is part of those tests, and seen here once more without our code.

Exit status 1 when a test fails.
"""
import datetime, os, subprocess, sys, tempfile
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from s3_service import BUCKET, Service

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


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


def tests(scheme, folder):
    """whether the tests pass over http or https"""
    files = certificate(folder) if scheme == "https" else None
    if files:
        os.environ["AWS_CA_BUNDLE"] = files[0]
    with Service(folder, files) as service:
        print(f"-- {scheme}", flush=True)
        return subprocess.run(["swift", "test", "--skip-build", "--filter", "S3ServiceTests"], cwd=ROOT, stdin=subprocess.DEVNULL,
                              env={**os.environ, "AUDITLAKE_S3_ENDPOINT": service.endpoint, "AUDITLAKE_S3_BUCKET": BUCKET}).returncode == 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if all([tests("http", folder), tests("https", folder)]) else 1)


if __name__ == "__main__":
    main()
