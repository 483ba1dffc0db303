import AuditFormats
import Columnar
import DeltaTables
import ParquetFiles

/// The shape of the table of a pipeline of customers' CSV files.
extension TableShape {
    /// The table with the columns that were met.
    ///
    /// - Parameter columns: In order of first sight.
    /// - Returns: The shape, which the table may have outgrown.
    static func customers(_ columns: [CSVColumn]) -> TableShape {
        var shape = TableShape(
            CustomerCSVDecoder.tableColumns(columns),
            partitionColumn: "date",
            storage: customerStorage
        )
        shape.mayHaveGrown = true
        for column in columns where column.name != column.column {
            for index in shape.columns.indices where shape.columns[index].name == column.column {
                shape.columns[index].metadata[originalName] = .string(column.name)
            }
        }
        return shape
    }

    /// Texts that never repeat are stored plain, offsets as differences; times as well, which `customerStorage(of:)` adds.
    static let customerStorage: [ColumnStorage] = [
        ColumnStorage("event_id", usesDictionary: false, hasStatistics: false),
        ColumnStorage("source_offset", usesDictionary: false, usesDelta: true),
    ]

    /// How the columns of a row group are stored.
    static func customerStorage(of batch: RecordBatch) -> [ColumnStorage] {
        let own = CustomerCSVDecoder.tableColumns([]).map(\.name)
        let times = batch.schema.filter { $0.type == .timestamp && !own.contains($0.name) }
        return customerStorage
            + times.map { ColumnStorage($0.name, usesDictionary: false, usesDelta: true) }
    }
}
