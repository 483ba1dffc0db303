/// Objects below a prefix of a bucket, named by paths relative to it.
///
/// A put is durable and whole when it returns; nobody sees a part of an object. Folders are what keys have in common:
/// they need not be made and are gone with their last object.
package struct S3Store: Sendable {
    /// What all keys begin with: empty, or with a slash at its end.
    private let prefix: String
    /// The bucket.
    package let client: S3Client

    /// Creates a store.
    ///
    /// - Parameters:
    ///   - client: The bucket.
    ///   - prefix: With or without slashes at its ends.
    package init(client: S3Client, prefix: String) {
        self.client = client
        let folder = prefix.split(separator: "/").joined(separator: "/")
        self.prefix = folder.isEmpty ? "" : "\(folder)/"
    }

    /// The address of an object, for people.
    package func path(_ key: String) -> String { client.path(prefix + key) }

    /// The bytes of an object, nil when there is none.
    package func read(_ key: String) throws -> [UInt8]? { try client.get(prefix + key)?.bytes }

    /// Whether an object is there.
    package func exists(_ key: String) throws -> Bool { try client.head(prefix + key) != nil }

    /// The objects and folders directly in a folder; none when there is no such folder.
    package func list(_ folder: String) throws -> [FileStatus] {
        let base = folder.isEmpty ? prefix : "\(prefix)\(folder)/"
        var found: [FileStatus] = []
        try client.list(prefix: base, delimiter: "/") { page in
            // Some tools make an object with the name of a folder, and nothing in it.
            for object in page.objects where object.key != base {
                let name = String(object.key.dropFirst(base.count))
                found.append(
                    FileStatus(
                        name: name,
                        byteCount: object.byteCount,
                        modified: object.modified,
                        isFolder: false,
                        inode: 0
                    )
                )
            }
            for common in page.commonPrefixes {
                let name = String(common.dropFirst(base.count).dropLast())
                found.append(FileStatus(name: name, byteCount: 0, modified: 0, isFolder: true, inode: 0))
            }
        }
        return found
    }

    /// Removes an object; one that is gone already is no error.
    package func remove(_ key: String) throws { try client.delete(prefix + key) }

    /// Removes all objects in a folder and its folders.
    ///
    /// For folders of random names that nobody else puts objects into.
    package func removeFolder(_ folder: String) throws {
        precondition(!folder.isEmpty, "the whole store is not removed")
        try client.list(prefix: "\(prefix)\(folder)/") { page in
            try client.delete(page.objects.map(\.key))
        }
    }

    /// Stores an object unless one of this name is there.
    ///
    /// - Returns: Whether the object was created; false leaves the other one untouched.
    /// - Throws: `S3Error`; the object is then absent or whole, never torn.
    package func putIfAbsent(_ key: String, _ bytes: [UInt8]) throws -> Bool {
        try client.put(prefix + key, bytes, ifAbsent: true) != .exists
    }

    /// Stores an object over any other of its name: for hints, whose loss costs time but nothing else.
    package func replace(_ key: String, _ bytes: [UInt8]) throws {
        _ = try client.put(prefix + key, bytes, ifAbsent: false)
    }

    /// Gives a finished object its name unless that is taken; the temporary name goes.
    ///
    /// The bytes travel here and back: no copy inside the service is conditional everywhere.
    ///
    /// - Returns: Whether the name was free.
    @discardableResult
    package func publish(_ temporary: String, as key: String) throws -> Bool {
        guard let bytes = try read(temporary) else {
            throw S3Error(.notFound, "read", path(temporary), message: "there is no such object")
        }
        let isNew = try putIfAbsent(key, bytes)
        try remove(temporary)
        return isNew
    }

    /// Starts an object; others see it when it is finished.
    package func writer(_ key: String) -> S3Upload { client.upload(prefix + key) }
}
