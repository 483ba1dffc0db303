"""moto's server, made more like S3 in two ways.

An object whose metadata says when it was delivered is as old as that (s3_lake.Delivered.deliver). And one put follows the other: moto looks whether a key is there
and makes the object in two steps, so that of several `If-None-Match: *` at once more than one may win.
"""
import datetime, sys, threading
from moto.s3.models import FakeKey
from moto.s3.responses import S3Response
from moto.server import main

KEY = "x-amz-meta-delivered"                                           # ISO 8601, UTC
_set_metadata, _put_object, _one = FakeKey.set_metadata, S3Response.put_object, threading.Lock()


def set_metadata(self, metadata, replace=False):
    _set_metadata(self, metadata, replace)
    if delivered := self.metadata.get(KEY):
        self.last_modified = datetime.datetime.fromisoformat(delivered)


def put_object(self):
    with _one:
        return _put_object(self)


FakeKey.set_metadata, S3Response.put_object = set_metadata, put_object

if __name__ == "__main__":
    sys.exit(main())
