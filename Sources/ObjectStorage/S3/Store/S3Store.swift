/// Objects below a prefix of a bucket, named by paths relative to it.
///
/// A put is durable and whole when it returns; nobody sees a part of an object. Folders are what keys have in common:
/// they need not be made and are gone with their last object. All methods throw `StorageError`.
package struct S3Store: ObjectStore {
    package let root: String
    package let isLocal = false
    package var failures: FailureBell? { client.failures }
    package func giveUp() { client.giveUp() }
    /// What all keys begin with: empty, or with a slash at its end.
    private let prefix: String
    private let client: S3Client

    /// Creates a store.
    ///
    /// - Parameters:
    ///   - client: The bucket; it must not be shut down before the store's last use.
    ///   - prefix: With or without slashes at its ends.
    package init(client: S3Client, prefix: String) {
        self.client = client
        let folder = prefix.split(separator: "/").joined(separator: "/")
        self.prefix = folder.isEmpty ? "" : "\(folder)/"
        root = folder.isEmpty ? "s3://\(client.settings.bucket)" : "s3://\(client.settings.bucket)/\(folder)"
    }

    package func read(_ key: String) throws -> [UInt8]? {
        try StorageError.translating { try client.get(prefix + key)?.bytes }
    }

    package func open(_ key: String) throws -> (any ObjectContent)? {
        try StorageError.translating { try client.head(prefix + key) }.map {
            S3Content(client: client, object: $0)
        }
    }

    package func exists(_ key: String) throws -> Bool {
        try StorageError.translating { try client.head(prefix + key) } != nil
    }

    package func hasFolder(_ folder: String) throws -> Bool {
        try StorageError.translating { try client.hasObjects(prefix: path(of: folder)) }
    }

    package func list(_ folder: String) throws -> [ObjectEntry] {
        let base = path(of: folder)
        var found: [ObjectEntry] = []
        try StorageError.translating {
            try client.list(prefix: base, delimiter: "/") { page in
                // Some tools make an object with the name of a folder, and nothing in it.
                for object in page.objects where object.key != base {
                    let name = String(object.key.dropFirst(base.count))
                    found.append(
                        ObjectEntry(name: name, byteCount: object.byteCount, modified: object.modified)
                    )
                }
                for common in page.commonPrefixes {
                    found.append(
                        ObjectEntry(name: String(common.dropFirst(base.count).dropLast()), isFolder: true)
                    )
                }
            }
        }
        return found
    }

    package func remove(_ key: String) throws {
        try StorageError.translating { try client.delete(prefix + key) }
    }

    package func removeFolder(_ folder: String) throws {
        precondition(!folder.isEmpty, "the whole store is not removed")
        try StorageError.translating {
            try client.list(prefix: path(of: folder)) { try client.delete($0.objects.map(\.key)) }
        }
    }

    package func putIfAbsent(_ key: String, _ bytes: [UInt8]) throws -> Bool {
        try StorageError.translating { try client.put(prefix + key, bytes, ifAbsent: true) != .exists }
    }

    package func replace(_ key: String, _ bytes: [UInt8]) throws {
        _ = try StorageError.translating { try client.put(prefix + key, bytes, ifAbsent: false) }
    }

    package func writer(_ key: String) throws -> any ObjectWriter {
        S3ObjectWriter(client.upload(prefix + key))
    }

    package func publisher(_ key: String) throws -> any ObjectWriter {
        S3ObjectWriter(client.upload(prefix + key, ifAbsent: true))
    }

    /// Does nothing: what can be seen is durable.
    package func makeDurable(_ key: String) {}

    /// What the keys of a folder begin with.
    private func path(of folder: String) -> String { folder.isEmpty ? prefix : "\(prefix)\(folder)/" }
}

/// An object of a bucket, as it was when it was opened.
private final class S3Content: ObjectContent {
    private let client: S3Client
    private let object: S3Object

    init(client: S3Client, object: S3Object) {
        self.client = client
        self.object = object
    }

    var byteCount: UInt64 { object.byteCount }

    /// Throws when the object is another one meanwhile, or gone.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let range = offset..<min(offset + UInt64(buffer.count), max(offset, object.byteCount))
        guard !range.isEmpty else { return 0 }
        let count = try StorageError.translating {
            try client.getInParts(object.key, range: range, ifMatch: object.etag, into: buffer)
        }
        guard let count else {
            throw StorageError(code: .notFound, operation: "read", path: client.path(object.key))
        }
        return count
    }
}

/// An upload in the terms of stores.
private final class S3ObjectWriter: ObjectWriter {
    private let upload: S3Upload

    init(_ upload: S3Upload) { self.upload = upload }

    var byteCount: Int { upload.byteCount }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try StorageError.translating { try upload.write(bytes) }
    }

    func finish() throws -> Bool { try StorageError.translating { try upload.finish() } != .exists }

    func abandon() { upload.abandon() }
}
