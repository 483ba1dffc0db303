#!/usr/bin/env python3
"""object_store.py [--objects 100000] [--workspaces 4] [--days 365]

A stand-in for S3 that answers at once: two buckets in memory, `source` with delivered files of audit events (workspaceId=…/date=…/auditlogs_….json, an event
each, days up to today) and `lake`, empty. It checks no signature and keeps nothing. Measuring a client against it shows what the client costs, not the service.

Prints its port. `GET /.requests` gives the requests since the last such call as JSON: time (monotonic seconds), method, path and query, status.
"""
import argparse, asyncio, bisect, datetime, hashlib, json, os, re, subprocess, sys, tempfile, time, urllib.parse, uuid
from email.utils import formatdate

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = 1000
TIMESTAMP = re.compile(rb'"timestamp":\d+')


class Object:
    __slots__ = ("data", "etag", "modified", "put_id")

    def __init__(self, data, modified, put_id=None):
        self.data, self.modified, self.put_id, self.etag = data, modified, put_id, hashlib.md5(data).hexdigest()


class Bucket:
    """objects by key, and the keys in order of their bytes"""

    def __init__(self):
        self.objects, self.keys, self.uploads = {}, [], {}

    def put(self, key, object_):
        if key not in self.objects:
            bisect.insort(self.keys, key)
        self.objects[key] = object_

    def remove(self, key):
        if self.objects.pop(key, None):
            del self.keys[bisect.bisect_left(self.keys, key)]

    def page(self, query):
        """a page of a listing, as XML"""
        prefix, limit = query.get("prefix", ""), min(PAGE, int(query.get("max-keys", PAGE)))
        behind = query.get("continuation-token") or query.get("start-after", "")
        at = bisect.bisect_right(self.keys, behind) if behind >= prefix else bisect.bisect_left(self.keys, prefix)
        end = at
        while end < min(at + limit, len(self.keys)) and self.keys[end].startswith(prefix):
            end += 1
        is_cut = end == at + limit and end < len(self.keys) and self.keys[end].startswith(prefix)
        entries = "".join(self._entry(key) for key in self.keys[at:end])
        more = f"<NextContinuationToken>{escaped(self.keys[end - 1])}</NextContinuationToken>" if is_cut else ""
        return (f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{"true" if is_cut else "false"}</IsTruncated>'
                f"{more}{entries}</ListBucketResult>").encode()

    def _entry(self, key):
        o = self.objects[key]
        time_ = datetime.datetime.fromtimestamp(o.modified, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return f"<Contents><Key>{urllib.parse.quote(key)}</Key><LastModified>{time_}</LastModified><ETag>&quot;{o.etag}&quot;</ETag><Size>{len(o.data)}</Size></Contents>"


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def source(objects, workspaces, days):
    """delivered files, spread evenly over workspaces and days"""
    bucket, today = Bucket(), datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "events.json")
        subprocess.run([sys.executable, os.path.join(HERE, "gen_databricks.py"), "--mb", "4", "--out", path], check=True, stderr=subprocess.DEVNULL)
        with open(path, "rb") as f:
            lines = f.read().splitlines(keepends=True)
    for n in range(objects):
        day = today - datetime.timedelta(days=n // workspaces % days)
        start = int(day.timestamp())
        key = f"audit/workspaceId={1000 + n % workspaces}/date={day:%Y-%m-%d}/auditlogs_{n:08}.json"
        data = TIMESTAMP.sub(b'"timestamp":%d' % (1000 * (start + n % 80_000)), lines[n % len(lines)], count=1)
        bucket.objects[key] = Object(data, start + n % 80_000)
    bucket.keys = sorted(bucket.objects)
    return bucket


class Server:
    def __init__(self, buckets):
        self.buckets, self.requests = buckets, []

    async def connection(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = head[0].split(" ")
                status, fields, data = self.answer(method, target, headers, body)
                length = fields.pop("Content-Length", len(data))
                lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: {length}\r\n{lines}\r\n".encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):         # the client has ended
            pass
        finally:
            writer.close()

    def answer(self, method, target, headers, body):
        """status, headers and body"""
        if target == "/.requests":
            told, self.requests = json.dumps(self.requests).encode(), []
            return 200, {}, told
        path, _, text = target.partition("?")
        name, _, key = urllib.parse.unquote(path[1:]).partition("/")
        query = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        bucket = self.buckets[name]
        found = self.listing(bucket, query) if not key else getattr(self, f"do_{method.lower()}")(bucket, key, query, headers, body)
        self.requests.append((time.monotonic(), method, target, found[0]))
        return found

    @staticmethod
    def listing(bucket, query):
        return 200, {"Content-Type": "application/xml"}, bucket.page(query)

    @staticmethod
    def refused(status, code):
        return status, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode()

    @staticmethod
    def fields(o):
        found = {"ETag": f'"{o.etag}"', "Last-Modified": formatdate(o.modified, usegmt=True)}
        return found | {"x-amz-meta-put-id": o.put_id} if o.put_id else found

    def do_head(self, bucket, key, query, headers, body):
        o = bucket.objects.get(key)
        return (404, {}, b"") if o is None else (200, self.fields(o) | {"Content-Length": len(o.data)}, b"")

    def do_get(self, bucket, key, query, headers, body):
        o = bucket.objects.get(key)
        if o is None:
            return self.refused(404, "NoSuchKey")
        if headers.get("if-match", o.etag).strip('"') != o.etag:
            return self.refused(412, "PreconditionFailed")
        if "range" not in headers:
            return 200, self.fields(o), o.data
        first, last = headers["range"].removeprefix("bytes=").split("-")
        first = int(first) if first else max(0, len(o.data) - int(last))
        if first >= len(o.data):
            return self.refused(416, "InvalidRange")
        part = o.data[first:int(last) + 1 if headers["range"][6] != "-" and last else len(o.data)]
        return 206, self.fields(o) | {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(o.data)}"}, part

    def do_put(self, bucket, key, query, headers, body):
        if "uploadId" in query:
            bucket.uploads[query["uploadId"]][1][int(query["partNumber"])] = body
            return 200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}, b""
        return self.store(bucket, key, headers, Object(body, int(time.time()), headers.get("x-amz-meta-put-id")))

    def store(self, bucket, key, headers, o):
        if headers.get("if-none-match") == "*" and key in bucket.objects:
            return self.refused(412, "PreconditionFailed")
        bucket.put(key, o)
        return 200, {"ETag": f'"{o.etag}"'}, f'<CompleteMultipartUploadResult><ETag>"{o.etag}"</ETag></CompleteMultipartUploadResult>'.encode()

    def do_post(self, bucket, key, query, headers, body):
        if "uploads" in query:
            id_ = uuid.uuid4().hex
            bucket.uploads[id_] = headers.get("x-amz-meta-put-id"), {}
            return 200, {}, f"<InitiateMultipartUploadResult><UploadId>{id_}</UploadId></InitiateMultipartUploadResult>".encode()
        put_id, parts = bucket.uploads.pop(query["uploadId"])
        return self.store(bucket, key, headers, Object(b"".join(parts[n] for n in sorted(parts)), int(time.time()), put_id))

    def do_delete(self, bucket, key, query, headers, body):
        bucket.remove(key)
        return 204, {}, b""


async def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--objects", type=int, default=100_000)
    p.add_argument("--workspaces", type=int, default=4)
    p.add_argument("--days", type=int, default=365)
    a = p.parse_args()
    server = Server({"source": source(a.objects, a.workspaces, a.days), "lake": Bucket()})
    listener = await asyncio.start_server(server.connection, "127.0.0.1", 0, limit=1 << 20)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
