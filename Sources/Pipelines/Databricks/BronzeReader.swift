import Columnar
import DeltaLog
import DeltaTables
import FoundationEssentials
import ParquetFiles

/// Reads rows of bronze again, in the order in which they came.
struct BronzeReader {
    private static let columns = [
        "raw", "raw_encoding", "source", "source_offset", "source_time", "ingest_ts",
    ]

    /// One row; its bytes are valid during the call that it is given to.
    struct Row {
        /// The line as it was in the source, without its newline.
        var bytes: UnsafeRawBufferPointer
        /// Bytes behind it that may be looked at.
        var paddingByteCount: Int
        var sourceOffset: UInt64
        /// Microseconds since 1970-01-01 UTC; nil for none.
        var sourceTime: Int64?
    }

    /// What rows of one range have in common; its rows follow each other, also beyond a row group.
    private struct Block {
        var source: [UInt8]
        var ingestTime: Int64
        var sourceTime: Int64?
    }

    let table: DeltaTable

    private struct Bounds: Decodable {
        struct Values: Decodable {
            var ingestTime: String?

            enum CodingKeys: String, CodingKey {
                case ingestTime = "ingest_ts"
            }
        }
        var minValues: Values?
        var maxValues: Values?
    }

    /// Calls `begin` for each object and `body` for each of its rows.
    ///
    /// - Parameters:
    ///   - days: The days of ingest to look at, `YYYY-MM-DD`; nil for all.
    ///   - time: The one batch's time that is wanted, in microseconds since 1970-01-01 UTC: files that cannot have it are
    ///     passed over; nil for all.
    ///   - isWanted: Whether rows of a batch's time are wanted.
    ///   - begin: Told that the rows that follow are of another source, or of another batch.
    ///   - body: Takes a row.
    /// - Throws: `StorageError`, `ParquetError`, `DeltaLogError` and what the closures throw.
    func read(
        days: ClosedRange<String>?,
        time: Int64? = nil,
        isWanted: (Int64) -> Bool,
        begin: (_ source: String, _ ingestTime: Int64, _ sourceTime: Int64?) throws -> Void,
        body: (Row) throws -> Void
    ) throws {
        var transcoded: [UInt8] = []
        var present: Block?
        for file in try files(days, time.map(Self.text)) {
            let reader = try table.reader(of: file.path, fields: Self.columns)
            for group in 0..<reader.rowGroupCount {
                try reader.withRowGroup(group) { rows in
                    try read(rows, isWanted, begin, body, &present, &transcoded)
                }
            }
        }
    }

    /// The files of some days, by day and time of writing.
    private func files(_ days: ClosedRange<String>?, _ time: String?) throws -> [AddFile] {
        let all = try table.snapshot().files.values.filter { file in
            guard let days else { return true }
            guard let day = file.partitionValues["date"] ?? nil else { return false }
            return days.contains(day)
        }
        return all.map { (file: $0, times: Self.times(of: $0)) }
            .filter { file in time.map { file.times.contains($0) } ?? true }
            .sorted {
                ($0.times.lowerBound, $0.file.path.decoded) < ($1.times.lowerBound, $1.file.path.decoded)
            }
            .map(\.file)
    }

    /// The times of a file's rows, as its statistics have them; all times for a file without.
    private static func times(of file: AddFile) -> ClosedRange<String> {
        guard let stats = file.stats,
            let bounds = try? JSONDecoder().decode(Bounds.self, from: Data(stats.utf8)),
            let low = bounds.minValues?.ingestTime, let high = bounds.maxValues?.ingestTime, low <= high
        else { return ""..."~" }
        return low...high
    }

    /// A batch's time, which is in whole milliseconds, as the statistics have it.
    private static func text(_ microseconds: Int64) -> String {
        let day = 86_400_000_000 as Int64
        let milliseconds = (microseconds % day + day) % day / 1_000
        let parts = [
            milliseconds / 3_600_000, milliseconds / 60_000 % 60, milliseconds / 1_000 % 60,
        ].map { $0 < 10 ? "0\($0)" : "\($0)" }
        let fraction = String(milliseconds % 1_000 + 1_000).dropFirst()
        return "\(UTCDay.text(microseconds: microseconds))T\(parts.joined(separator: ":")).\(fraction)Z"
    }

    private func read(
        _ rows: ArrowView,
        _ isWanted: (Int64) -> Bool,
        _ begin: (String, Int64, Int64?) throws -> Void,
        _ body: (Row) throws -> Void,
        _ present: inout Block?,
        _ transcoded: inout [UInt8]
    ) throws {
        guard let raw = rows.field("raw"), let encoding = rows.field("raw_encoding"),
            let source = rows.field("source"), let offset = rows.field("source_offset"),
            let sourceTime = rows.field("source_time"), let ingestTime = rows.field("ingest_ts")
        else { return }
        for index in 0..<rows.count {
            guard let time = ingestTime.int64(index), isWanted(time),
                let text = raw.bytes(index), let name = source.bytes(index), let at = offset.int64(index)
            else { continue }
            let modified = sourceTime.int64(index)
            let goesOn =
                present.map { block in
                    block.ingestTime == time && block.sourceTime == modified
                        && block.source.elementsEqual(name.bytes)
                } ?? false
            if !goesOn {
                try begin(String(decoding: name.bytes, as: UTF8.self), time, modified)
                present = Block(source: Array(name.bytes), ingestTime: time, sourceTime: modified)
            }
            var row = Row(
                bytes: text.bytes,
                paddingByteCount: text.paddingByteCount,
                sourceOffset: UInt64(at),
                sourceTime: modified
            )
            guard encoding.isValid(index) else {
                try body(row)
                continue
            }
            transcoded = Self.latin1(text.bytes)
            try transcoded.withUnsafeBytes { bytes in
                row.bytes = bytes
                row.paddingByteCount = 0
                try body(row)
            }
        }
    }

    /// The bytes of a text that was read as Latin-1.
    static func latin1(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var lead: UInt8?
        for byte in text {
            if let first = lead {
                bytes.append(first << 6 | byte & 0x3F)
                lead = nil
            } else if byte >= 0xC0 {
                lead = byte
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}

extension DatabricksPipeline {
    /// Decodes the rows that a batch has left in bronze.
    ///
    /// - Returns: How many there are.
    func readBronze(plannedAt: Int64, into staging: EventStaging) throws -> Int {
        guard let bronze = tables.first(where: { $0.name == settings.bronze }) else { return 0 }
        var rowCount = 0
        let day = UTCDay.text(microseconds: plannedAt)
        try BronzeReader(table: bronze.delta).read(
            days: day...day,
            time: plannedAt,
            isWanted: { $0 == plannedAt },
            begin: { source, _, modified in staging.begin(source, modified: modified) },
            body: { row in
                rowCount += 1
                try staging.decode(
                    record: row.bytes,
                    paddingByteCount: row.paddingByteCount,
                    at: row.sourceOffset
                )
            }
        )
        return rowCount
    }
}
