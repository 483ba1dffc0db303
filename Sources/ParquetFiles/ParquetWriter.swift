import CArrowParquet
import Columnar

/// Where a Parquet file's bytes go.
package protocol ParquetSink: AnyObject {
    /// Appends bytes; false ends the file with an error, which the sink keeps for its owner.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool
}

/// How one column is stored in a Parquet file.
package struct ColumnStorage: Hashable, Sendable {
    /// The Parquet path of the column or of the group of columns below it.
    package var path: String
    /// By dictionary, falling back to plain when it grows over 16 MiB.
    package var usesDictionary: Bool
    /// Minimum and maximum in the footer.
    package var hasStatistics: Bool
    /// Differences in few bits: for integers and timestamps.
    package var usesDelta: Bool

    /// Creates a setting; columns without one are stored by dictionary with statistics.
    package init(_ path: String, usesDictionary: Bool, hasStatistics: Bool = true, usesDelta: Bool = false) {
        self.path = path
        self.usesDictionary = usesDictionary
        self.hasStatistics = hasStatistics
        self.usesDelta = usesDelta
    }
}

/// Writes one Parquet file, zstd level 1, one row group a batch.
///
/// Not for use from two threads at once. After a failure only `deinit` may follow; the sink then holds a torn file.
package final class ParquetWriter {
    private let writer: OpaquePointer
    private let sink: any ParquetSink

    /// Starts a file.
    ///
    /// - Parameters:
    ///   - schema: Columns as readers see them; a `dictionaryString` is a string.
    ///   - storage: Columns that are stored otherwise than by dictionary with statistics.
    ///   - sink: Receives the bytes; kept until the writer goes.
    /// - Throws: `ParquetError` with code `write`.
    package init(schema: [ColumnField], storage: [ColumnStorage], sink: any ParquetSink) throws {
        var arrowSchema = ArrowExport.schema(of: schema.map(\.withPlainStrings))
        let receiver = apq_sink(
            context: Unmanaged.passRetained(SinkBox(sink)).toOpaque(),
            write: { context, bytes, count in
                guard let context else { return -1 }
                let box = Unmanaged<SinkBox>.fromOpaque(context).takeUnretainedValue()
                return box.sink.append(UnsafeRawBufferPointer(start: bytes, count: Int(count))) ? 0 : -1
            }
        )
        boxContext = receiver.context
        self.sink = sink
        var created: OpaquePointer?
        var error = apq_error()
        let paths = storage.map { Array($0.path.utf8CString) }
        let status = withPointers(to: paths) { pointers in
            let columns = zip(storage, pointers).map { setting, path in
                apq_column(
                    path: path,
                    dictionary: setting.usesDictionary ? 1 : 0,
                    statistics: setting.hasStatistics ? 1 : 0,
                    delta: setting.usesDelta ? 1 : 0
                )
            }
            return apq_writer_open(receiver, &arrowSchema, columns, columns.count, 1, &created, &error)
        }
        guard status == 0, let created else {
            Self.releaseBox(boxContext)
            throw ParquetError(code: .write, message: error.text)
        }
        writer = created
    }

    private let boxContext: UnsafeMutableRawPointer?

    private static func releaseBox(_ context: UnsafeMutableRawPointer?) {
        guard let context else { return }
        Unmanaged<SinkBox>.fromOpaque(context).release()
    }

    deinit {
        apq_writer_destroy(writer)
        Self.releaseBox(boxContext)
    }

    /// Writes a batch as one row group.
    ///
    /// Blocks for encoding and compression.
    ///
    /// - Throws: `ParquetError` with code `write`.
    package func write(_ batch: RecordBatch) throws {
        var error = apq_error()
        let fields = zip(batch.schema, batch.columns).map { field, column in
            ColumnField(field.name, column.type, isNullable: field.isNullable)
        }
        var schema = ArrowExport.schema(of: fields)
        var array = ArrowExport.array(of: batch)
        let status = withExtendedLifetime(batch) { apq_writer_write(writer, &schema, &array, &error) }
        guard status == 0 else { throw ParquetError(code: .write, message: error.text) }
    }

    /// Appends all rows of another file with the same columns.
    ///
    /// - Throws: `ParquetError` with code `read` or `write`.
    package func append(contentsOf reader: ParquetReader) throws {
        var error = apq_error()
        guard apq_copy(reader.reader, writer, 32 * 1024, &error) == 0 else {
            throw ParquetError(code: .read, path: reader.path, message: error.text)
        }
    }

    /// Writes the footer; nothing may be written after it.
    ///
    /// - Throws: `ParquetError` with code `write`.
    package func finish() throws {
        var error = apq_error()
        guard apq_writer_close(writer, &error) == 0 else {
            throw ParquetError(code: .write, message: error.text)
        }
    }
}

/// Gives a sink an address that C code can hold.
private final class SinkBox {
    let sink: any ParquetSink
    init(_ sink: any ParquetSink) { self.sink = sink }
}

/// Calls `body` with C pointers to terminated strings, valid during the call.
func withPointers<Result>(to strings: [[CChar]], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
    let flat = strings.flatMap { $0 }
    var offsets: [Int] = []
    var at = 0
    for string in strings {
        offsets.append(at)
        at += string.count
    }
    return flat.withUnsafeBufferPointer { buffer in
        body(offsets.map { offset in buffer.baseAddress.map { $0 + offset } })
    }
}

extension apq_error {
    /// The message.
    var text: String {
        withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension ColumnField {
    /// The field with dictionaries replaced by what readers see.
    fileprivate var withPlainStrings: ColumnField {
        ColumnField(name, type.withPlainStrings, isNullable: isNullable)
    }
}

extension ColumnType {
    fileprivate var withPlainStrings: ColumnType {
        switch self {
        case .dictionaryString: .string
        case .map(let key, let value): .map(key: key.withPlainStrings, value: value.withPlainStrings)
        case .list(let element): .list(element.withPlainStrings)
        case .structure(let fields): .structure(fields.map(\.withPlainStrings))
        default: self
        }
    }
}
