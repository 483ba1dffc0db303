/// What the service says of an object.
package struct S3Object: Hashable, Sendable {
    /// Its key.
    package var key: String
    /// Size in bytes.
    package var byteCount: UInt64
    /// Changes with the object's bytes; without quotes.
    package var etag: String
    /// Last modification, in microseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// The version, in buckets that keep versions.
    package var versionID: String?

    /// Creates a description.
    package init(key: String, byteCount: UInt64, etag: String, modified: Int64, versionID: String? = nil) {
        self.key = key
        self.byteCount = byteCount
        self.etag = etag
        self.modified = modified
        self.versionID = versionID
    }

    /// An entity tag without its quotes.
    static func unquoted(_ etag: String) -> String {
        etag.hasPrefix("\"") && etag.hasSuffix("\"") && etag.count >= 2
            ? String(etag.dropFirst().dropLast()) : etag
    }
}

/// Bytes of an object.
package struct S3Body: Hashable, Sendable {
    /// The object; its size is that of the whole object.
    package var object: S3Object
    /// The bytes that were asked for.
    package var bytes: [UInt8]
    /// Which attempt to put it made the object, when it was put by `S3Client`.
    package var putID: String?

    /// Creates an answer.
    package init(object: S3Object, bytes: [UInt8], putID: String? = nil) {
        self.object = object
        self.bytes = bytes
        self.putID = putID
    }
}

/// What became of a put.
package enum PutOutcome: Hashable, Sendable {
    /// The object is there, with this entity tag.
    case created(etag: String)
    /// Another object has the key; it was left alone.
    case exists
}

/// A page of a listing.
package struct S3ListPage: Hashable, Sendable {
    /// Objects in order of their keys' UTF-8 bytes.
    package var objects: [S3Object]
    /// What keys begin with up to the delimiter, when one was given; each ends with it.
    package var commonPrefixes: [String]

    /// Creates a page.
    package init(objects: [S3Object], commonPrefixes: [String]) {
        self.objects = objects
        self.commonPrefixes = commonPrefixes
    }
}
