"""moto's server, with one thing more: an object whose metadata says when it was delivered is as old as that (s3_lake.Delivered.deliver)."""
import datetime, sys
from moto.s3.models import FakeKey
from moto.server import main

KEY = "x-amz-meta-delivered"                                           # ISO 8601, UTC
_set_metadata = FakeKey.set_metadata


def set_metadata(self, metadata, replace=False):
    _set_metadata(self, metadata, replace)
    if delivered := self.metadata.get(KEY):
        self.last_modified = datetime.datetime.fromisoformat(delivered)


FakeKey.set_metadata = set_metadata

if __name__ == "__main__":
    sys.exit(main())
