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
    package init(path: String, fields: [String]? = nil) throws {
        source = nil
        self.path = path
        var error = apq_error()
        guard
            let opened = Self.open(
                fields,
                &error,
                { names, count, opened, error in
                    apq_reader_open(path, names, count, opened, error)
                }
            )
        else { throw ParquetError(code: .read, path: path, message: error.text) }
        reader = opened
    }

    /// Opens a file that is read through a source.
    ///
    /// - Parameters:
    ///   - source: The file's bytes.
    ///   - name: What the file is called in errors.
    ///   - fields: Top-level columns to read, nil for all; names that the file lacks are passed over.
    /// - Throws: The source's failure, otherwise `ParquetError` with code `read`.
    package init(source: any ParquetSource, name: String, fields: [String]? = nil) throws {
        self.source = source
        path = name
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
        var error = apq_error()
        guard
            let opened = Self.open(
                fields,
                &error,
                { names, count, opened, error in
                    apq_reader_open_source(input, names, count, opened, error)
                }
            )
        else { throw source.failure ?? ParquetError(code: .read, path: name, message: error.text) }
        reader = opened
    }

    private typealias Opening = (
        UnsafePointer<UnsafePointer<CChar>?>?, Int, UnsafeMutablePointer<OpaquePointer?>,
        UnsafeMutablePointer<apq_error>
    ) -> Int32

    /// Calls `body` with the fields as C has them; nil when it fails.
    private static func open(_ fields: [String]?, _ error: inout apq_error, _ body: Opening) -> OpaquePointer?
    {
        var opened: OpaquePointer?
        let status =
            if let fields {
                withPointers(to: fields.map { Array($0.utf8CString) }) { pointers in
                    body(pointers, pointers.count, &opened, &error)
                }
            } else {
                body(nil, 0, &opened, &error)
            }
        return status == 0 ? opened : nil
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
