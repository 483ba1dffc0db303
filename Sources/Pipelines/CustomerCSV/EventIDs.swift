import AuditFormats
import DeltaLog
import DeltaTables

/// The rows that a table has, by their ids, at the version that a batch is compared with.
struct EventIDs {
    private static let column = "event_id"

    private let table: DeltaTable
    private let files: [Int64: [AddFile]]

    /// Looks at a version of a table.
    ///
    /// - Throws: `StorageError`, `DeltaLogError`.
    init(_ table: DeltaTable, version: Int64) throws {
        self.table = table
        var files: [Int64: [AddFile]] = [:]
        for file in try table.snapshot(at: version).files.values {
            guard let text = file.partitionValues["date"] ?? nil, let day = UTCDay.days(text) else {
                continue
            }
            files[day, default: []].append(file)
        }
        self.files = files
    }

    /// Reads the ids of a day's rows.
    ///
    /// - Parameters:
    ///   - day: Since 1970-01-01.
    ///   - body: Takes an id as it is stored: 32 hexadecimal digits.
    /// - Throws: `StorageError`, `ParquetError`.
    func read(day: Int32, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        for file in files[Int64(day)] ?? [] {
            let reader = try table.reader(of: file.path, fields: [Self.column])
            for group in 0..<reader.rowGroupCount {
                try reader.withRowGroup(group) { rows in
                    guard let ids = rows.field(Self.column) else { return }
                    for row in 0..<rows.count {
                        if let id = ids.bytes(row) { body(id.bytes) }
                    }
                }
            }
        }
    }
}
