import Columnar
import Foundation
import ParquetFiles

/// One row group of a Parquet file that was written for a test.
struct RowGroup {
    var fields: [(ColumnField, [CellValue])]

    init(_ fields: (String, ColumnType, [CellValue])...) {
        self.fields = fields.map { (ColumnField($0.0, $0.1), $0.2) }
    }

    private final class Sink: ParquetSink {
        var data = Data()
        func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
            data.append(contentsOf: bytes)
            return true
        }
    }

    /// Writes the file and reads its row group.
    func read<Result>(_ body: (ArrowView) throws -> Result) throws -> Result {
        let schema = fields.map(\.0)
        let sink = Sink()
        let writer = try ParquetWriter(schema: schema, storage: [], sink: sink)
        let columns = fields.map { Column($0.0.type, values: $0.1) }
        try writer.write(RecordBatch(schema: schema, columns: columns, rowCount: fields[0].1.count))
        try writer.finish()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rows-\(UUID().uuidString).parquet"
        )
        try sink.data.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try ParquetReader(path: file.path).withRowGroup(0, body)
    }
}
