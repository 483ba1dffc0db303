import CArrowParquet
import Columnar
import Glibc

/// Reads one Parquet file from disk, row group by row group.
package final class ParquetReader {
    let reader: OpaquePointer
    /// The file.
    package let path: String

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: A file on disk.
    ///   - fields: Top-level columns to read, nil for all; names that the file lacks are passed over.
    /// - Throws: `ParquetError` with code `read`.
    package init(path: String, fields: [String]? = nil) throws {
        var opened: OpaquePointer?
        var error = apq_error()
        let status =
            if let fields {
                withPointers(to: fields.map { Array($0.utf8CString) }) { pointers in
                    var pointers = pointers
                    return apq_reader_open(path, &pointers, pointers.count, &opened, &error)
                }
            } else {
                apq_reader_open(path, nil, 0, &opened, &error)
            }
        guard status == 0, let opened else {
            throw ParquetError(code: .read, path: path, message: error.text)
        }
        reader = opened
        self.path = path
    }

    deinit { apq_reader_destroy(reader) }

    /// The number of rows in the file.
    package var rowCount: Int { Int(apq_reader_rows(reader)) }

    /// The number of row groups in the file.
    package var rowGroupCount: Int { Int(apq_reader_row_groups(reader)) }

    /// Calls `body` with one row group as a structure column; its bytes are valid during the call only.
    ///
    /// - Throws: `ParquetError` with code `read`, and what `body` throws.
    package func withRowGroup<Result>(_ index: Int, _ body: (ArrowView) throws -> Result) throws -> Result {
        var schema = ArrowSchema()
        var array = ArrowArray()
        var error = apq_error()
        guard apq_reader_read(reader, Int32(index), &schema, &array, &error) == 0 else {
            throw ParquetError(code: .read, path: path, message: error.text)
        }
        defer {
            if let release = schema.release { release(&schema) }
            if let release = array.release { release(&array) }
        }
        return try withUnsafePointer(to: schema) { schema in
            try withUnsafePointer(to: array) { array in
                try body(ArrowView(schema: schema, array: array))
            }
        }
    }
}
