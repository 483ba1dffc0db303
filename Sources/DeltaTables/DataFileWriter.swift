import Columnar
import DeltaLog
import ObjectStorage
import ParquetFiles

/// Writes one data file of a table and keeps what the log has to know of it.
///
/// The file is invisible until its `AddFile` is committed. From one thread at a time.
package final class DataFileWriter {
    private let sink: StoreSink
    private let parquet: ParquetWriter
    private let path: DataFilePath
    private let partitionValues: [String: String?]
    private let schema: [ColumnField]
    private var statistics: [ColumnAggregate]
    /// Rows written so far.
    package private(set) var rowCount = 0

    /// Starts a file with a random name.
    ///
    /// - Parameters:
    ///   - store: Where the lake lies.
    ///   - table: The table's folder in the store.
    ///   - schema: Columns without the partition columns.
    ///   - storage: Columns that are stored otherwise than by dictionary with statistics.
    ///   - partitionValues: Name and text of each partition column.
    /// - Throws: `StorageError` or `ParquetError`; nothing is left behind.
    package init(
        store: any ObjectStore,
        table: String,
        schema: [ColumnField],
        storage: [ColumnStorage],
        partitionValues: [(name: String, value: String)]
    ) throws {
        let folders = partitionValues.map { "\($0.name)=\($0.value)/" }.joined()
        let name = "\(folders)part-\(RandomName.uuid()).zstd.parquet"
        path = DataFilePath(name)
        self.schema = schema
        self.partitionValues = Dictionary(
            uniqueKeysWithValues: partitionValues.map { ($0.name, Optional($0.value)) }
        )
        statistics = schema.map { _ in ColumnAggregate() }
        sink = StoreSink(try store.writer("\(table)/\(name)"))
        do {
            parquet = try ParquetWriter(schema: schema, storage: storage, sink: sink)
        } catch {
            sink.writer.abandon()
            throw sink.failure ?? error
        }
    }

    /// Appends a batch as one row group.
    ///
    /// Blocks for compression and the disk.
    ///
    /// - Throws: `StorageError` or `ParquetError`; call `abandon`.
    package func write(_ batch: RecordBatch) throws {
        try sink.surfacing { try parquet.write(batch) }
        rowCount += batch.rowCount
        for (index, column) in batch.columns.enumerated() { statistics[index].add(column) }
    }

    /// Appends all rows of a data file of the same table; `finish(statistics:)` must then be given statistics.
    package func append(contentsOf reader: ParquetReader) throws {
        try sink.surfacing { try parquet.append(contentsOf: reader) }
        rowCount += reader.rowCount
    }

    /// Makes the file durable.
    ///
    /// - Parameters:
    ///   - now: Milliseconds since 1970-01-01 UTC.
    ///   - dataChange: False when the rows were in the table before.
    ///   - stats: Statistics as the log has them; nil takes those of the batches written.
    /// - Returns: The action that brings the file into the table.
    /// - Throws: `StorageError` or `ParquetError`; call `abandon`.
    package func finish(now: Int64, dataChange: Bool = true, stats: String? = nil) throws -> AddFile {
        try sink.surfacing { try parquet.finish() }
        try sink.writer.finish()
        return AddFile(
            path: path,
            partitionValues: partitionValues,
            size: Int64(sink.writer.byteCount),
            modificationTime: now,
            dataChange: dataChange,
            stats: stats ?? fileStatistics.json
        )
    }

    /// Gives the file up and removes it.
    package func abandon() { sink.writer.abandon() }

    private var fileStatistics: FileStatistics {
        FileStatistics(
            recordCount: Int64(rowCount),
            columns: zip(schema, statistics).compactMap { field, aggregate in aggregate.statistics(of: field)
            }
        )
    }
}

/// Nulls and bounds of one column over the row groups of a file.
private struct ColumnAggregate {
    private var nullCount = 0
    private var bounds: ColumnBounds?

    mutating func add(_ column: Column) {
        nullCount += column.nullCount
        guard let new = column.bounds else { return }
        bounds = bounds.map { $0.union(new) } ?? new
    }

    /// What the log has to know of the column; nil for a structure, in whose place readers expect its fields.
    func statistics(of field: ColumnField) -> DeltaLog.ColumnStatistics? {
        if case .structure = field.type { return nil }
        var result = DeltaLog.ColumnStatistics(path: [field.name], nullCount: Int64(nullCount))
        switch (bounds, field.type) {
        case (.integers(let low, let high), .timestamp):
            result.minimum = .timestamp(microseconds: low)
            result.maximum = .timestamp(microseconds: high)
        case (.integers(let low, let high), .date):
            result.minimum = .date(days: Int32(clamping: low))
            result.maximum = .date(days: Int32(clamping: high))
        case (.integers(let low, let high), _):
            result.minimum = .long(low)
            result.maximum = .long(high)
        case (.strings(let low, let high), _):
            result.minimum = .string(low)
            result.maximum = .string(high)
        case (nil, _): break
        }
        return result
    }
}
