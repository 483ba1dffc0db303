import Intake
import ObjectStorage

/// Objects in memory, with the faults that are asked for.
final class MemoryPlace: ObjectPlace {
    private struct Stored {
        var bytes: [UInt8]
        var etag: String
        var modified: Int64
    }

    /// By key, what opening it throws.
    var openFaults: [String: StorageError.Code] = [:]
    /// By key, what reading it throws.
    var readFaults: [String: StorageError.Code] = [:]
    /// Folders that may not be listed.
    var unlisted: [String] = []
    /// Objects that were opened, in order.
    private(set) var opened: [String] = []
    private var objects: [String: Stored] = [:]
    private var writes: Int64 = 0

    func put(_ key: String, _ text: String) {
        writes += 1
        objects[key] = Stored(bytes: Array(text.utf8), etag: "\"etag-\(writes)\"", modified: writes)
    }

    func means(_ key: String) -> Bool { true }

    func list(_ body: (ListedObject) throws -> Void) throws -> ListingReport {
        for (key, object) in objects {
            try Array(key.utf8).withUnsafeBytes { key in
                try Array(object.etag.utf8).withUnsafeBytes { version in
                    let listed = ListedObject(
                        key: key,
                        version: version,
                        byteCount: UInt64(object.bytes.count),
                        modified: object.modified
                    )
                    try body(listed)
                }
            }
        }
        var report = ListingReport()
        report.unreadable = unlisted.map {
            StorageError(code: .permissionDenied, operation: "list", path: $0)
        }
        return report
    }

    func folders() -> [String] { [] }

    func open(_ key: String) throws -> (any ObjectBytes)? {
        guard let object = objects[key] else { return nil }
        opened.append(key)
        if let code = openFaults[key] { throw StorageError(code: code, operation: "read", path: key) }
        let status = ObjectStatus(
            byteCount: UInt64(object.bytes.count),
            modified: object.modified,
            version: object.etag
        )
        return OpenedObject(status, object.bytes) { [weak self] in
            if let code = self?.readFaults[key] {
                throw StorageError(code: code, operation: "read", path: key)
            }
        }
    }
}

private final class OpenedObject: ObjectBytes {
    let status: ObjectStatus
    let lastWrite: Int64? = nil
    private let bytes: [UInt8]
    private let onRead: () throws -> Void

    init(_ status: ObjectStatus, _ bytes: [UInt8], onRead: @escaping () throws -> Void) {
        self.status = status
        self.bytes = bytes
        self.onRead = onRead
    }

    func check() -> ObjectIntegrity { .whole }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try onRead()
        let part = bytes.dropFirst(Int(offset)).prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }

    func isUnchanged() -> Bool { true }
}
