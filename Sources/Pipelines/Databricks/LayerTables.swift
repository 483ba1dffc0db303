import AuditFormats
import Catalog
import Columnar
import DeltaLog
import DeltaTables
import ParquetFiles

/// The shapes of the tables of a Databricks pipeline.
extension TableShape {
    /// Field metadata: the name of a column as the events have it.
    static let originalName = "auditlake.name"

    /// The raw lines, by day of ingest.
    static let bronze = TableShape(
        DatabricksDecoder.bronzeColumns,
        partitionColumn: "date",
        storage: [
            ColumnStorage("raw", usesDictionary: false, hasStatistics: false),
            ColumnStorage("source_offset", usesDictionary: false, usesDelta: true),
        ]
    )

    /// The cleaned events, by day of the event.
    static let silver = TableShape(
        DatabricksDecoder.silverColumns,
        partitionColumn: "date",
        storage: eventStorage + [
            ColumnStorage("requestParams.key_value.key", usesDictionary: true, hasStatistics: false),
            ColumnStorage("requestParams.key_value.value", usesDictionary: false, hasStatistics: false),
        ]
    )

    /// The events of one service.
    static func gold(_ service: ServiceSchema) -> TableShape {
        var shape = TableShape(
            DatabricksDecoder.goldColumns(service),
            partitionColumn: "date",
            storage: eventStorage
        )
        shape.mayHaveGrown = true
        let names = Dictionary(uniqueKeysWithValues: service.keys.map { ($0.column, $0.key) })
        for index in shape.columns.indices {
            guard shape.columns[index].name == "requestParams",
                case .structure(var parameters) = shape.columns[index].type
            else { continue }
            for field in parameters.fields.indices {
                guard let name = names[parameters.fields[field].name] else { continue }
                parameters.fields[field].metadata[originalName] = .string(name)
            }
            shape.columns[index].type = .structure(parameters)
        }
        return shape
    }

    /// Texts that never repeat are stored plain, times as differences.
    static let eventStorage: [ColumnStorage] = [
        ColumnStorage("event_id", usesDictionary: false, hasStatistics: false),
        ColumnStorage("timestamp", usesDictionary: false, usesDelta: true),
        ColumnStorage("date_time", usesDictionary: false, usesDelta: true),
        ColumnStorage("requestId", usesDictionary: false, hasStatistics: false),
        ColumnStorage("source_offset", usesDictionary: false, usesDelta: true),
    ]
}

extension RecordBatch {
    /// Texts that the builders found not to repeat: a dictionary would be tried and given up by the encoder.
    ///
    /// - Parameter settled: Columns whose storage is decided.
    /// - Returns: The others that come as plain texts, also fields of structures.
    func plainTexts(besides settled: [ColumnStorage]) -> [ColumnStorage] {
        let names = Set(settled.map(\.path))
        var paths: [String] = []
        for (field, column) in zip(schema, columns) {
            if column.type == .string { paths.append(field.name) }
            guard case .structure(let fields) = column.type else { continue }
            for (part, values) in zip(fields, column.children) where values.type == .string {
                paths.append("\(field.name).\(part.name)")
            }
        }
        return paths.filter { !names.contains($0) }.map { ColumnStorage($0, usesDictionary: false) }
    }
}
