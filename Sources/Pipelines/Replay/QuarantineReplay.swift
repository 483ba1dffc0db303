import AuditFormats
import Catalog
import Columnar
import DeltaTables
import ObjectStorage
import ParquetFiles

/// Makes the quarantine of a pipeline again, beside silver: what leaves the one enters the other.
///
/// A record belongs to a replay when the day of its event does; one that is no event counts by its day of ingest. Of records
/// that do not belong to it, and of lines that bronze does not have, the rows stay as they are.
struct QuarantineReplay {
    /// Bytes of rows that are gathered before they are written.
    private static let rowGroupByteCount = 16 << 20
    private static let fields = QuarantineRows.columns.map(\.name)

    /// The store of the lake.
    let store: any ObjectStore
    /// The days of events that are made again.
    let days: DayRange
    /// How events become rows now.
    let settings: DatabricksDecoderSettings
    /// Which rows of the table bronze can make again.
    let lines: QuarantinedLines
    /// Time of the files, in milliseconds since 1970-01-01 UTC.
    let now: Int64

    /// Writes the rows that the table will have.
    ///
    /// - Parameters:
    ///   - live: The table as it is; nil when it is not there.
    ///   - made: Keys of files with all that goes to the quarantine today.
    ///   - folder: Where the files go, as a key of the lake.
    /// - Returns: Durable files, one or more a day of ingest.
    /// - Throws: `ParquetError`, `StorageError`, `DeltaLogError`, `PipelineError`; nothing is left of the files then.
    func write(_ live: DeltaTable?, made: [String], into folder: String) throws -> [StagedFile] {
        let encoder = EncodingThread(store: store, now: now)
        do {
            var rows = QuarantineCopy(encoder: encoder, folder: folder)
            for key in made {
                let reader = try store.parquetReader(key, fields: Self.fields)
                try copy(reader, key, into: &rows, if: isMadeAgain)
            }
            if let live {
                let files = try live.snapshot().files.values.sorted { $0.path.encoded < $1.path.encoded }
                for file in files {
                    let reader = try live.reader(of: file.path, fields: Self.fields)
                    try copy(reader, live.path(of: file.path), into: &rows, if: stays)
                }
            }
            try rows.flush()
        } catch {
            encoder.cancel()
            throw error
        }
        return try encoder.finish()[folder] ?? []
    }

    private func isMadeAgain(_ row: QuarantineRow, _ day: Int64) -> Bool {
        days.isEverything || days.contains(day)
    }

    private func stays(_ row: QuarantineRow, _ day: Int64) -> Bool {
        !isMadeAgain(row, day) || !lines.isInBronze(row.source, row.offset, row.ingestTime)
    }

    private func copy(
        _ reader: ParquetReader,
        _ name: String,
        into rows: inout QuarantineCopy,
        if isWanted: (QuarantineRow, Int64) -> Bool
    ) throws {
        var recordDays = RecordDays(settings)
        for group in 0..<reader.rowGroupCount {
            try reader.withRowGroup(group) { view in
                let days = self.days.isEverything ? [] : recordDays.days(of: view)
                for index in 0..<view.count {
                    guard let row = QuarantineRow(view, index) else {
                        throw PipelineError(
                            code: .damagedState,
                            message: "\(name): row \(index) lacks what every row of a quarantine has",
                            mend: "restore the table from a backup"
                        )
                    }
                    if isWanted(row, days.isEmpty ? 0 : days[index]) { try rows.append(row) }
                    if rows.byteCount > Self.rowGroupByteCount { try rows.flush() }
                }
            }
        }
    }
}
