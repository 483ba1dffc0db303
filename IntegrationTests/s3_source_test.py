#!/usr/bin/env python3
"""s3_source_test.py [--seed N] [--binary PATH] [--only WORD]

What may become of objects in the bucket that events are read from, one line a case: versions and delete markers, objects that are delivered late, overwritten or gone
between the listing and their reading, objects that were forgotten, and encryption of what is written. The bucket is moto's; every table is held against the independent reading of the events.

Exit status 1 when a case fails.
"""
import datetime, json, re, sys, warnings
import harness, s3_lake
from databricks_test import some
from fault_proxy import FaultProxy
from harness import case, demand
from s3_lake_test import INPUT, Bench, joined, reckon, settle
from s3_service import BUCKET


@case
def a_bucket_that_keeps_versions(b):
    client = b.service.client()
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    w = b.lake()
    w.deliver("a.json", joined(some("jobs", 0)), is_read=False)
    w.deliver("a.json", joined(some("jobs", 0, 1)))
    w.deliver("marked.json", joined(some("jobs", 90)), is_read=False)
    w.withdraw("marked.json")
    w.deliver("b.json", joined(some("clusters", 0)))
    w.drain()
    # A version more, and a delete marker on what was read.
    w.deliver("a.json", joined(some("jobs", 0, 1, 2)))
    w.withdraw("b.json")
    w.drain()
    # The marker goes, and what was read before is there again.
    markers = [m for m in client.list_object_versions(Bucket=BUCKET, Prefix=f"{w.source}/b.json")["DeleteMarkers"]]
    demand(len(markers) == 1, f"moto has the markers {markers}")
    client.delete_object(Bucket=BUCKET, Key=markers[0]["Key"], VersionId=markers[0]["VersionId"])
    versions = client.list_object_versions(Bucket=BUCKET, Prefix=f"{w.source}/")["Versions"]
    demand(len(versions) == 5, f"the bucket does not keep versions: {len(versions)}")
    demand(w.drain()["rows"] == 0, "an object was read again when its delete marker went")
    lines = settle(w)
    doubled = [v["Key"] for v in client.list_object_versions(Bucket=BUCKET, Prefix=f"{w.prefix}/").get("Versions", []) if not v["IsLatest"]]
    demand(not any("_delta_log/0" in key or "/plans/" in key or "/receipts/" in key for key in doubled), f"written twice: {doubled}")
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    yield f"versions and delete markers of the source, and a lake among them: no commit, plan or receipt has two versions; {lines}"


def day(days_ago):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days_ago)).strftime("%Y-%m-%d")


@case
def late_objects_of_days_before_the_window(b):
    w = b.lake()
    pattern = f"s3://{BUCKET}/{w.source}/**/*.json*"
    w.configure(None, source="{objects: %s, window: 2d}" % json.dumps(pattern))
    for n, days_ago in enumerate((0, 1, 40)):
        w.deliver(f"workspaceId=1/date={day(days_ago)}/a.json", joined(some("jobs", n)), days_ago=days_ago)
    w.drain()
    # New objects of an old day: one that was put at its time and shows up now, and one that is put now. And an old one with more lines.
    w.deliver(f"workspaceId=1/date={day(40)}/late.json", joined(some("jobs", 10)), days_ago=40)
    w.deliver(f"workspaceId=2/date={day(60)}/late.json", joined(some("jobs", 11)))
    w.deliver(f"workspaceId=1/date={day(40)}/a.json", joined(some("jobs", 2, 12)))
    found = w.drain()
    demand(found["rows"] and found["remarks"] == [], f"the run reported {found}")
    yield f"late and overwritten objects of days before `window` come with the next run: {settle(w)}"


@case
def objects_that_change_between_listing_and_reading(b):
    with FaultProxy(b.service.port) as proxy:
        w = s3_lake.delivered(b.service, endpoint=proxy.endpoint)(b.a.binary, b.place())
        w.deliver("a.json", joined(some("jobs", 0)))
        w.deliver("gone.json", joined(some("jobs", 90)), is_read=False)
        w.deliver("grown.json", joined(some("clusters", 0)))
        w.deliver("z.json", joined(some("jobs", 1)))
        done = []

        def before(line):
            if not line.startswith("GET ") or done:
                return
            if f"/{w.source}/" in line.split("?")[0]:
                done.append(line)
                w.withdraw("gone.json")
                w.deliver("grown.json", joined(some("clusters", 0, 1)))

        proxy.before = before
        found = w.drain()
        demand(done, "no object of the source was asked for")
        proxy.before = None
        demand(found["remarks"] == [], f"the run reported {found['remarks']}")
        yield f"one gone and one overwritten between the listing and their reading: {settle(w)}"
        w.deliver("gone.json", joined(some("jobs", 90, 91)))
        w.drain()
        yield f"and read when it comes back: {settle(w)}"


class Refuser(FaultProxy):
    """refuses single objects, as S3 does those whose key cannot be used; `refused`: by name what it answers"""

    def __init__(self, upstream):
        self.refused = {}
        super().__init__(upstream)

    async def _answer(self, request, reader, writer):
        path = request.head.split(b" ")[1].split(b"?")[0].decode()
        for name, said in self.refused.items():
            if path.endswith(f"/{name}"):
                return await self._refuse(writer, request, 400, *said)
        return await super()._answer(request, reader, writer)


@case
def objects_whose_key_cannot_be_used(b):
    with Refuser(b.service.port) as proxy:
        w = s3_lake.delivered(b.service, endpoint=proxy.endpoint)(b.a.binary, b.place())
        refused = {
            "disabled.json": ("KMS.DisabledException", "arn:aws:kms:us-east-1:111122223333:key/1 is disabled."),
            "own key.json": ("InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."),
        }
        proxy.refused = {name.replace(" ", "%20"): said for name, said in refused.items()}
        w.deliver("a.json", joined(some("jobs", 0)))
        for n, name in enumerate(refused):
            w.deliver(name, joined(some("clusters", n)), is_read=False)
        w.deliver("z.json", joined(some("jobs", 1)))
        done = w.run()
        said = done.stdout + done.stderr
        told = ["2 files cannot be read", "everything else was loaded", *refused, *(code for code, _ in refused.values())]
        demand(done.returncode == INPUT and all(word in said for word in told), f"run --once ended with {done.returncode} and said {said}")
        yield f"objects of a disabled KMS key and of a customer's own are left out and told: {reckon(w)}"
        proxy.refused = {}
        for n, name in enumerate(refused):
            w.deliver(name, joined(some("clusters", n)))
        w.drain()
        yield f"and read when their keys can be used: {settle(w)}"
        proxy.refused = {w.source + "/a.json": ("InvalidRequest", "S3 Transfer Acceleration is not configured on this bucket")}
        w.deliver("a.json", joined(some("jobs", 0, 2)), is_read=False)
        done = w.run()
        demand(done.returncode == INPUT and "Transfer Acceleration" in done.stderr and "everything else" not in done.stderr, f"a request that is wrong: {done.returncode}, {done.stderr}")
        proxy.refused = {}
        w.deliver("a.json", joined(some("jobs", 0, 2)))
        w.drain()
        yield f"a request that is wrong ends the run: {settle(w)}"


@case
def objects_in_an_archive(b):
    w, client = b.lake(), b.service.client()
    w.deliver("a.json", joined(some("jobs", 0)))
    client.put_object(Bucket=BUCKET, Key=f"{w.source}/old.json", Body=joined(some("clusters", 0)), StorageClass="GLACIER")
    done = w.run()
    said = done.stdout + done.stderr
    demand(done.returncode == INPUT and "old.json" in said and "restore the object" in said, f"run --once ended with {done.returncode} and said {said}")
    yield f"an object in an archive is left out and told: {reckon(w)}"
    w.deliver("old.json", joined(some("clusters", 0)))
    w.drain()
    yield f"and read when it is back: {settle(w)}"


def too_old(report):
    """how many objects a run reports as too old"""
    found = re.fullmatch(r"(\d+) objects are older than `forget_after` .*", " / ".join(report["remarks"]))
    demand(found, f"a run reported {report['remarks']}")
    return int(found[1])


@case
def objects_that_were_forgotten(b):
    w = b.lake(forget_after="3d")
    w.deliver("old.json", joined(some("jobs", 0)), days_ago=10)
    w.deliver("new.json", joined(some("jobs", 1)))
    # What is forgotten counts, too: nobody can tell it from what came late.
    demand(too_old(w.drain()) == 1, "the first run")
    # One that nobody has read, older than what is kept in mind; one within it; and one that is known and has more lines.
    w.deliver("older.json", joined(some("jobs", 90)), is_read=False, days_ago=9)
    w.deliver("late.json", joined(some("jobs", 2)), days_ago=2)
    w.deliver("new.json", joined(some("jobs", 1, 3)))
    demand(too_old(w.drain()) == 2, "the second run")
    w.withdraw("old.json")
    demand(too_old(w.drain()) == 1, "the third run")
    yield f"`forget_after`: an old late object is reported and not read, a younger one is read: {settle(w)}"


@case
def all_that_is_written_is_encrypted(b):
    w = s3_lake.delivered(b.service, encryption="kms", kms_key_id="alias/audit")(b.a.binary, b.place())
    w.deliver("a.json", joined(some("jobs", 0, 1)))
    w.drain()
    client, plain = b.service.client(), []
    keys = b.service.objects(f"{w.prefix}/")
    for key in keys:
        head = client.head_object(Bucket=BUCKET, Key=key)
        if (head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")) != ("aws:kms", "alias/audit"):
            plain.append(key)
    demand(keys and not plain, f"without the key: {plain}")
    yield f"`encryption: kms`: all {len(keys)} objects of the lake have the key; {settle(w)}"


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    status = harness.run_cases(__doc__, Bench)
    sys.stdout.flush()
    sys.exit(status)
