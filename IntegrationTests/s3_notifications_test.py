#!/usr/bin/env python3
"""s3_notifications_test.py [--seed N] [--binary PATH] [--only WORD]

Events in a bucket of moto that tells a queue of new objects, one line a case: `run --follow` finds them without listing, `run --once` lists and empties the
queue, a process is killed between a receipt and the deletion of its message, and what is said when the queue cannot be used. moto sends the notifications, and
checks each signature. At the end of each case every row is there once, by the independent reading of the events, and the queue is empty.

Exit status 1 when a case fails.
"""
import atexit, json, os, signal, subprocess, sys, time, warnings
from urllib.parse import parse_qs, urlsplit
import databricks_lake, harness, s3_lake
from databricks_test import some
from fault_proxy import FaultProxy
from harness import PATIENCE, case, demand
from s3_service import BUCKET, REGION, Service

CHECK, INPUT = 1, 66
IDLE = 2                                                               # seconds of polls that find nothing
POLL = 0.1                                                             # seconds between two of them


class Queue:
    """a queue that a bucket tells of objects below a prefix"""

    def __init__(self, service, name, visibility=30):
        self.sqs, self.name = service.client("sqs"), name
        self.url = self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(visibility)})["QueueUrl"]
        self.arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def count(self):
        """messages, received and not"""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(map(int, self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"].values()))

    def send(self, text):
        return self.sqs.send_message(QueueUrl=self.url, MessageBody=text)["MessageId"]


class Holder(FaultProxy):
    """passes all on but deletions, as long as it holds them"""

    def __init__(self, upstream):
        self.holds, self.held = True, 0
        super().__init__(upstream)

    async def _answer(self, request, reader, writer):
        if self.holds and b"AmazonSQS.DeleteMessageBatch" in request.head:
            self.held += 1
            await reader.read()                                        # until the client is gone
            return False
        return await super()._answer(request, reader, writer)


def notified(service, queue, url=None, **notifications):
    """a lake of events whose source has a queue"""

    class Notified(s3_lake.delivered(service)):
        def configure(self, files, **keys):
            settings = {"queue_url": url or queue.url, "region": REGION} | notifications
            source = {"objects": f"s3://{BUCKET}/{self.source}/**/*.json*", "notifications": settings}
            super().configure(files, source=json.dumps(source), **keys)

    return Notified


class Bench(harness.Bench):
    def __init__(self, a, folder):
        super().__init__(a, folder)
        self.service = Service(folder).__enter__()
        atexit.register(self.service.stop)

    def lake(self, visibility=30, through=None, to=None, keys=None, **notifications):
        """a lake and its queue; `through`: a proxy; `to`: tells the bucket where to send, instead of straight to the queue; `keys`: of the pipeline"""
        self.number += 1
        queue = Queue(self.service, f"queue-{self.number}", visibility)
        url = queue.url.replace(str(self.service.port), str(through.port)) if through else None
        w = notified(self.service, queue, url, **notifications)(self.a.binary, os.path.join(self.folder, str(self.number)), **(keys or {}))
        w.queue = queue
        (to or self.to_queue)(w)
        return w

    def tell(self, w, configuration):
        self.service.client().put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)

    def to_queue(self, w):
        events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
        self.tell(w, {"QueueConfigurations": [{"QueueArn": w.queue.arn, "Events": events, "Filter": self.below(w)}]})

    def below(self, w):
        """what keeps the lake's own objects out of the queue"""
        return {"Key": {"FilterRules": [{"Name": "prefix", "Value": f"{w.source}/"}]}}

    def to_topic(self, w):
        sns = self.service.client("sns")
        topic = sns.create_topic(Name=w.queue.name)["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=w.queue.arn)
        self.tell(w, {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"], "Filter": self.below(w)}]})

    def to_event_bridge(self, w):
        events = self.service.client("events")
        events.put_rule(Name=w.queue.name, EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": w.source}]}}}))
        events.put_targets(Rule=w.queue.name, Targets=[{"Id": "queue", "Arn": w.queue.arn}])
        self.tell(w, {"EventBridgeConfiguration": {}})

    def listings(self, w):
        """requests since the last call that list the source"""
        found = [parse_qs(urlsplit(path).query) for method, path, _ in self.service.requests() if method == "GET"]
        return sum("list-type" in query and query.get("prefix", [""])[0].startswith(w.source) for query in found)


def joined(lines):
    return b"".join(line + b"\n" for line in lines)


def is_read(w):
    """whether all that was delivered is in batches that have their receipt"""
    plans = w.numbers("plans")
    return plans == w.numbers("receipts") and not databricks_lake.batches(w)[1]


def drain_until(w, count):
    """runs --once until so many messages are left, which are no notifications and were met; the last run's remarks

    What a killed process had asked for is still handed out to it, and comes again a second later.
    """
    end = time.monotonic() + PATIENCE
    while True:
        told = w.drain()
        demand(told["rows"] == 0, f"{told['rows']} rows came twice")
        if w.queue.count() == count and (not count or told["notifications"]["strange"] == count):
            return told["remarks"]
        demand(time.monotonic() < end, f"{w.queue.count()} messages are left in the queue; the last run says {told}")


def reckon(w):
    problems, tables = databricks_lake.reckon(w, ("deltalake", "polars"))
    demand(not problems, "; ".join(problems[:10]))
    demand(w.queue.count() == 0, f"{w.queue.count()} messages are left in the queue")
    return f"{tables.lines} lines, {len(tables.silver)} events once, the queue is empty"


class Follower:
    """`run --follow`, which may be killed and started again"""

    def __init__(self, w):
        self.w, self.path = w, os.path.join(w.folder, "follow.log")
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    def start(self):
        with open(self.path, "ab") as log:
            self.process = subprocess.Popen([self.w.binary, "run", "--follow", "--log-level", "error"], cwd=self.w.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """ends it as a user does; it must have had nothing to say"""
        demand(self.process.poll() is None, f"run --follow ended by itself with {self.process.returncode} and said {self.said()}")
        self.process.send_signal(signal.SIGTERM)
        demand(self.process.wait(PATIENCE) == 0, f"run --follow ended with {self.process.returncode}")
        demand(not self.said(), f"run --follow said {self.said()}")

    def said(self):
        with open(self.path, errors="replace") as f:
            return f.read()[:1000]

    def until(self, what, condition):
        """waits for a condition"""
        end = time.monotonic() + PATIENCE
        while not condition():
            demand(self.process.poll() is None, f"run --follow ended by itself with {self.process.returncode} and said {self.said()}")
            demand(time.monotonic() < end, f"{what} did not come about; {databricks_lake.batches(self.w)[1][:3]}; run --follow said {self.said()}")
            time.sleep(POLL)


# ---------------------------------------------------------------- exactly once

@case
def follow_finds_new_objects_without_a_listing(b):
    w = b.lake(keys={"poll_every": "200ms", "commit_every": "200ms"})
    w.deliver("workspaceId=1/date=2026-11-20/a.json", joined(some("jobs", 0, 1)))
    with Follower(w) as run:
        run.until("the first object", lambda: is_read(w))
        b.listings(w)
        time.sleep(IDLE)
        demand(b.listings(w) == 0, "an idle poll lists")
        w.deliver("odd names/ä+b c%20&=~.json", joined(some("clusters", 0, 1, 2)))
        run.until("a new object", lambda: is_read(w))
        w.deliver("workspaceId=1/date=2026-11-20/a.json", joined(some("jobs", 0, 1, 2, 3)))
        w.deliver("_hidden/a.json", joined(some("jobs", 9)), is_read=False)
        for n in range(25):
            w.deliver(f"many/{n}.json", joined(some("many", n)))
        w.withdraw("_hidden/a.json")
        run.until("an object with more lines, and many", lambda: is_read(w))
        run.until("the deletion of all messages", lambda: w.queue.count() == 0)
        listed = b.listings(w)
        run.stop()
    demand(listed == 0, f"{listed} listings after the first")
    yield f"run --follow, no listing after the first: {reckon(w)}"


@case
def once_lists_and_empties_the_queue(b):
    w = b.lake()
    for n in range(30):
        w.deliver(f"{n}.json", joined(some("jobs", n)))
    w.deliver("0.json", joined(some("jobs", 0, 100)))
    first = w.drain()
    demand(first["rows"] == 31 and first["notifications"]["received"] == 31, f"the first run says {first}")
    again = w.drain()
    demand(not again["batches"], f"a further run found {again}")
    w.deliver("1.json", joined(some("jobs", 1, 101)))
    w.deliver("new.json", joined(some("jobs", 102)))
    w.deliver("gone.json", joined(some("jobs", 103)), is_read=False)
    w.withdraw("gone.json")
    b.listings(w)
    demand(w.drain()["rows"] == 2, "new and longer objects")
    demand(b.listings(w) == 1, "a run lists once")
    yield f"run --once, listing and queue together: {reckon(w)}"


@case
def notifications_come_by_sns_and_event_bridge(b):
    for name, to in ("SNS", b.to_topic), ("EventBridge", b.to_event_bridge):
        w = b.lake(to=to, keys={"poll_every": "200ms", "commit_every": "200ms"})
        with Follower(w) as run:
            w.deliver("a.json", joined(some("jobs", 0)))
            run.until("the first object", lambda: is_read(w))
            b.listings(w)
            w.deliver("b c+d.json", joined(some("jobs", 1)))
            run.until(f"an object by {name}", lambda: is_read(w))
            run.until("the deletion of all messages", lambda: w.queue.count() == 0)
            demand(b.listings(w) == 0, f"a listing instead of {name}")
            run.stop()
        yield f"by {name}: {reckon(w)}"


@case
def a_kill_between_receipt_and_deletion(b):
    with Holder(b.service.port) as proxy:
        w = b.lake(visibility=1, through=proxy, keys={"commit_every": "200ms"})
        w.queue.sqs.purge_queue(QueueUrl=w.queue.url)                  # moto's test of the queue, which has no receipt to wait for
        w.deliver("a.json", joined(some("jobs", 0)))
        with Follower(w) as run:
            run.until("the first object", lambda: is_read(w))
            for n in range(3):
                run.until("an attempt to delete", lambda: proxy.held > n)
                run.kill()
                demand(w.queue.count() == n + 1, f"{w.queue.count()} messages after kill {n + 1}")
                w.deliver(f"{n}.json", joined(some("jobs", n + 1)))
                run.start()
                run.until("the next object", lambda: is_read(w))
            run.kill()
        demand(w.queue.count() == 4, f"{w.queue.count()} messages are left after the kills")
        proxy.holds = False
        drain_until(w, 0)
        yield f"three kills between receipt and deletion: {reckon(w)}"


# ---------------------------------------------------------------- what is wrong

@case
def strange_messages_stay_and_are_told_once(b):
    w = b.lake(visibility=1, keys={"commit_every": "200ms", "poll_every": "200ms"})
    name = w.queue.send("hello")
    w.deliver("a.json", joined(some("jobs", 0)))
    with Follower(w) as run:
        run.until("the object", lambda: is_read(w))
        run.until("the deletion of its message", lambda: w.queue.count() == 1)
        run.kill()
    remarks = drain_until(w, 1)
    demand(sum(name in r and "redrive" in r for r in remarks) == 1, f"run --once remarks {remarks}")
    w.queue.sqs.purge_queue(QueueUrl=w.queue.url)
    yield f"a message that is none: told once, left there; {reckon(w)}"


@case
def a_queue_that_cannot_be_used_is_said_and_holds_nothing_up(b):
    w = b.lake()
    w.deliver("a.json", joined(some("jobs", 0)))
    demand("messages" in harness.good(w, "check"), "check of a good queue")
    demand(w.queue.count() > 0, "check has taken messages")
    path = os.path.join(w.folder, "auditlake.yaml")
    with open(path) as f:
        good = f.read()

    def wrong(what, old, new, *words, **environment):
        with open(path, "w") as f:
            f.write(good.replace(old, new))
        for command, status in (("check",), CHECK), (("run", "--once"), INPUT):
            done = w.run(*command, env=harness.environment(**environment))
            said = done.stdout + done.stderr
            demand(done.returncode == status and all(word in said for word in words), f"{what}: {command[0]} ended with {done.returncode} and said {said}")
            demand(b.service.secret not in said, "a secret is shown")
        return f"{what}: {said.strip().splitlines()[-1].strip()}"

    w.deliver("b.json", joined(some("jobs", 1)))
    yield wrong("no such queue", w.queue.name, "nowhere", "nowhere", "check queue_url")
    bucket = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    id, secret = b.service.user("no-queue", bucket)
    yield wrong("no right to receive", "", "", w.queue.name, "right to", AWS_ACCESS_KEY_ID=id, AWS_SECRET_ACCESS_KEY=secret)
    with open(path, "w") as f:
        f.write(good)
    demand(w.drain()["rows"] == 0, "the objects were not read without the queue")
    yield f"afterwards: {reckon(w)}"


@case
def who_may_not_delete_messages_is_told_and_comes_to_an_end(b):
    # Each message is handed out again at once.
    w = b.lake(visibility=0)
    for n in range(15):
        w.deliver(f"{n}.json", joined(some("jobs", n)))
    rights = [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in ("s3:*", "sqs:ReceiveMessage", "sqs:GetQueueAttributes")]
    id, secret = b.service.user("no-deletion", *rights)
    done = w.run(env=harness.environment(AWS_ACCESS_KEY_ID=id, AWS_SECRET_ACCESS_KEY=secret))
    said = done.stdout + done.stderr
    demand(done.returncode == INPUT and "delete messages" in said and "right to" in said and "everything else was loaded" in said, f"run --once ended with {done.returncode} and said {said}")
    demand(w.queue.count() > 14, f"only {w.queue.count()} messages are left")
    drain_until(w, 0)
    yield f"no right to delete: {done.stderr.strip().splitlines()[0]}; {reckon(w)}"


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    status = harness.run_cases(__doc__, Bench)
    sys.stdout.flush()
    sys.exit(status)
