import CArrowParquet
import Columnar
import Glibc

/// The bytes of a Parquet file that is no file on disk.
///
/// Is read from several threads at once.
package protocol ParquetSource: AnyObject, Sendable {
    /// Size in bytes.
    var byteCount: Int64 { get }
    /// Reads up to `buffer.count` bytes at an offset; fewer only at the end, and -1 when that fails.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int
    /// Why a read failed first.
    var failure: (any Error)? { get }
}

/// Reads one Parquet file, row group by row group.
package final class ParquetReader {
    let reader: OpaquePointer
    /// The file's path or URL.
    package let path: String
    private let source: (any ParquetSource)?

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: A file on disk.
    ///   - fields: Top-level columns to read, nil for all; names that the file lacks are passed over.
    /// - Throws: `ParquetError` with code `read`.
    package convenience init(path: String, fields: [String]? = nil) throws {
        try self.init(path, nil, fields) { apq_reader_open(path, $0, $1, $2, $3) }
    }

    /// Opens a file that is read through a source.
    ///
    /// - Parameters:
    ///   - source: The file's bytes.
    ///   - name: What the file is called in errors.
    ///   - fields: Top-level columns to read, nil for all; names that the file lacks are passed over.
    /// - Throws: The source's failure, otherwise `ParquetError` with code `read`.
    package convenience init(source: any ParquetSource, name: String, fields: [String]? = nil) throws {
        let box = SourceBox(source)
        let input = apq_source(
            context: Unmanaged.passRetained(box).toOpaque(),
            size: source.byteCount,
            read: { context, offset, count, out in
                guard let context, let out else { return -1 }
                let box = Unmanaged<SourceBox>.fromOpaque(context).takeUnretainedValue()
                let buffer = UnsafeMutableRawBufferPointer(start: out, count: Int(count))
                return Int64(box.source.read(at: offset, into: buffer))
            },
            release: { context in
                if let context { Unmanaged<SourceBox>.fromOpaque(context).release() }
            }
        )
        try self.init(name, source, fields) { apq_reader_open_source(input, $0, $1, $2, $3) }
    }

    private typealias Opening = (
        UnsafePointer<UnsafePointer<CChar>?>?, Int, UnsafeMutablePointer<OpaquePointer?>,
        UnsafeMutablePointer<apq_error>
    ) -> Int32

    /// Has `open` called with the fields as C has them.
    private init(
        _ path: String,
        _ source: (any ParquetSource)?,
        _ fields: [String]?,
        _ open: Opening
    ) throws {
        self.path = path
        self.source = source
        var error = apq_error()
        var opened: OpaquePointer?
        let status =
            if let fields {
                withPointers(to: fields.map { Array($0.utf8CString) }) { pointers in
                    open(pointers, pointers.count, &opened, &error)
                }
            } else {
                open(nil, 0, &opened, &error)
            }
        guard status == 0, let opened else {
            throw source?.failure ?? ParquetError(code: .read, path: path, message: error.text)
        }
        reader = opened
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
            throw source?.failure ?? ParquetError(code: .read, path: path, message: error.text)
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

/// Carries a source through C.
private final class SourceBox {
    let source: any ParquetSource
    init(_ source: any ParquetSource) { self.source = source }
}
