import Columnar
import ParquetFiles
import Synchronization
import Testing

/// Files that are read through a source, piece by piece.
@Suite struct ParquetSourceTests {
    private struct Broken: Error {}

    /// Bytes in memory; fails from some read on.
    private final class MemorySource: ParquetSource {
        let bytes: [UInt8]
        let limit: Int
        private let reads = Mutex<[Range<Int>]>([])

        init(_ bytes: [UInt8], failingAfter limit: Int = .max) {
            self.bytes = bytes
            self.limit = limit
        }

        var byteCount: Int64 { Int64(bytes.count) }
        var ranges: [Range<Int>] { reads.withLock { $0 } }
        var failure: (any Error)? { reads.withLock { $0.count > limit ? Broken() : nil } }

        func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
            let range = Int(offset)..<min(bytes.count, Int(offset) + buffer.count)
            let count = reads.withLock {
                $0.append(range)
                return $0.count
            }
            guard count <= limit else { return -1 }
            buffer.copyBytes(from: bytes[range])
            return range.count
        }
    }

    private final class MemorySink: ParquetSink {
        var bytes: [UInt8] = []

        func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
            self.bytes += bytes
            return true
        }
    }

    /// A file of two row groups with a small and a large column.
    private static func file() throws -> [UInt8] {
        let schema = [ColumnField("n", .int64), ColumnField("t", .string)]
        let sink = MemorySink()
        let writer = try ParquetWriter(
            schema: schema,
            storage: [ColumnStorage("t", usesDictionary: false)],
            sink: sink
        )
        for numbers in [0..<5_000, 5_000..<9_000] {
            let texts = numbers.map { number in
                CellValue.string((0..<40).map { String($0 &* number &* 7_919) }.joined())
            }
            let columns = [
                Column(.int64, values: numbers.map { .int64(Int64($0)) }), Column(.string, values: texts),
            ]
            try writer.write(RecordBatch(schema: schema, columns: columns, rowCount: numbers.count))
        }
        try writer.finish()
        return sink.bytes
    }

    private func numbers(_ reader: ParquetReader) throws -> [Int64?] {
        try (0..<reader.rowGroupCount).flatMap { group in
            try reader.withRowGroup(group) { rows in (0..<rows.count).map { rows.field("n")?.int64($0) } }
        }
    }

    @Test("a source gives what a file gives, and only the columns that are wanted are fetched")
    func sameRows() throws {
        let source = MemorySource(try Self.file())
        let reader = try ParquetReader(source: source, name: "s3://b/x", fields: ["n"])
        #expect(try numbers(reader) == (0..<9_000).map { $0 })
        #expect(reader.path == "s3://b/x")
        let fetched = source.ranges.reduce(0) { $0 + $1.count }
        #expect(fetched > 0 && fetched < source.bytes.count / 2)
        #expect(source.ranges.count <= 6)
    }

    @Test("whichever read fails, the source's own failure is thrown")
    func failure() throws {
        let bytes = try Self.file()
        let whole = MemorySource(bytes)
        _ = try numbers(try ParquetReader(source: whole, name: "x"))
        for limit in 0..<whole.ranges.count {
            let source = MemorySource(bytes, failingAfter: limit)
            #expect(throws: Broken.self) { try numbers(try ParquetReader(source: source, name: "x")) }
        }
    }

    @Test("a source that ends early or is no Parquet file is an error that names it")
    func unreadable() throws {
        let whole = try Self.file()
        for bytes in [[], Array(whole.dropLast()), Array("PAR1 no PAR1".utf8)] {
            let error = #expect(throws: ParquetError.self) {
                try ParquetReader(source: MemorySource(bytes), name: "s3://b/bad")
            }
            #expect(error?.description.contains("s3://b/bad") == true)
        }
    }

    @Test("a source is let go with its reader")
    func release() throws {
        weak var source: MemorySource?
        do {
            let held = MemorySource(try Self.file())
            source = held
            _ = try numbers(try ParquetReader(source: held, name: "x"))
        }
        #expect(source == nil)
        #expect(throws: ParquetError.self) {
            let held = MemorySource([1, 2, 3])
            source = held
            _ = try ParquetReader(source: held, name: "x")
        }
        #expect(source == nil)
    }
}
