import ObjectStorage
import ParquetFiles
import Synchronization

/// Passes an object's bytes to a Parquet reader and keeps the failure that Arrow cannot carry.
final class StoreSource: ParquetSource {
    let byteCount: Int64
    private let content: any ObjectContent
    private let kept = Mutex<(any Error)?>(nil)

    init(_ content: any ObjectContent) {
        self.content = content
        byteCount = Int64(content.byteCount)
    }

    var failure: (any Error)? { kept.withLock { $0 } }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        do {
            return try content.read(at: UInt64(offset), into: buffer)
        } catch {
            kept.withLock { $0 = $0 ?? error }
            return -1
        }
    }
}

extension ObjectStore {
    /// Opens a Parquet file of the store.
    ///
    /// - Parameters:
    ///   - key: The object.
    ///   - fields: Top-level columns to read, nil for all; names that the file lacks are passed over.
    /// - Returns: The open file.
    /// - Throws: `StorageError`, `ParquetError`.
    package func parquetReader(_ key: String, fields: [String]? = nil) throws -> ParquetReader {
        if isLocal { return try ParquetReader(path: path(key), fields: fields) }
        guard let content = try open(key) else {
            throw StorageError(code: .notFound, operation: "read", path: path(key))
        }
        return try ParquetReader(source: StoreSource(content), name: path(key), fields: fields)
    }
}
