import Columnar
import DeltaLog
import ParquetFiles

/// Turns row groups of the lake into those of files that Redshift's COPY takes: the target's columns in its order.
///
/// Files of the lake lack the columns that they are filed by, and have maps and texts that a column of Redshift cannot hold.
struct StagedRows {
    private let columns: [TargetColumn]
    private var rowNumber: Int64 = 0
    /// NUL characters that became U+FFFD.
    private(set) var replacedCount = 0
    /// Texts that were cut.
    private(set) var cutCount = 0

    init(_ columns: [TargetColumn]) { self.columns = columns }

    /// The columns of the staged files.
    var schema: [ColumnField] {
        columns.map { ColumnField($0.name, Self.stagedType($0.type)) }
            + [ColumnField(StagedText.cutColumn, .string), ColumnField(LoadStatements.order, .int64)]
    }

    private static func stagedType(_ type: DataType) -> ColumnType {
        switch type {
        case .boolean: .boolean
        case .integer: .int32
        case .long: .int64
        case .date: .date
        case .timestamp: .timestamp
        case .string, .double, .map, .array, .structure, .binary: .string
        }
    }

    /// What was cut in one row, by column.
    private typealias Cuts = [Int: [(column: String, hash: String)]]

    /// Turns a row group.
    ///
    /// - Parameters:
    ///   - rows: The row group.
    ///   - partition: The values that its file's name gives.
    ///   - file: The file's name, for errors.
    /// - Returns: The columns of ``schema``.
    /// - Throws: `WarehouseError` with `rejected` for values that cannot be staged.
    mutating func batch(
        of rows: ArrowView,
        partition: [String: String?],
        file: String
    ) throws(WarehouseError) -> RecordBatch {
        let found = Dictionary(
            rows.layout.children.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var cuts: Cuts = [:]
        var staged: [Column] = []
        for column in columns {
            if column.isPartition {
                staged.append(try constant(column, partition[column.lakeName] ?? nil, rows.count, file))
            } else if let layout = found[column.lakeName] {
                staged.append(try self.column(column, layout, file, &cuts))
            } else {
                staged.append(
                    Column(Self.stagedType(column.type), values: Array(repeating: .null, count: rows.count))
                )
            }
        }
        staged.append(Self.cutColumn(cuts, rows.count))
        staged.append(order(rows.count))
        return RecordBatch(schema: schema, columns: staged, rowCount: rows.count)
    }

    private func constant(
        _ column: TargetColumn,
        _ text: String?,
        _ count: Int,
        _ file: String
    ) throws(WarehouseError) -> Column {
        var value = CellValue.null
        if let text, !text.isEmpty {
            let parsed: CellValue? =
                switch column.type {
                case .string: .string(text)
                case .date: civilDay(text).map { .int32($0) }
                case .integer: Int32(text).map { .int32($0) }
                case .long: Int64(text).map { .int64($0) }
                case .boolean: ["true": .boolean(true), "false": .boolean(false)][text]
                default: nil
                }
            guard let parsed else {
                throw WarehouseError(
                    .rejected,
                    "the file \(file) is filed under \(column.lakeName) “\(text)”, which is no \(column.type)",
                    mend: "the lake's log is damaged there; restore it from a backup"
                )
            }
            value = parsed
        }
        return Column(Self.stagedType(column.type), values: Array(repeating: value, count: count))
    }

    private mutating func column(
        _ column: TargetColumn,
        _ layout: ColumnLayout,
        _ file: String,
        _ cuts: inout Cuts
    ) throws(WarehouseError) -> Column {
        switch (column.type, layout.format) {
        case (.string, "u"): return texts(column, layout, &cuts)
        case (.long, "l"): return Self.numbers(layout, as: .int64, Int64.self)
        case (.timestamp, let format) where format.hasPrefix("tsu:"):
            return Self.numbers(layout, as: .timestamp, Int64.self)
        case (.integer, "i"): return Self.numbers(layout, as: .int32, Int32.self)
        case (.date, "tdD"): return Self.numbers(layout, as: .date, Int32.self)
        case (.boolean, "b"): return Self.flags(layout)
        case (.double, "g"): return Self.doubles(layout)
        case (.map, _), (.array, _), (.structure, _):
            if let shape = JSONShape(layout) { return json(column, shape, layout.count, &cuts) }
        default: break
        }
        throw WarehouseError(
            .rejected,
            "the file \(file) stores the column \(column.lakeName) in a form (\(layout.format)) that cannot be loaded as \(column.type)",
            mend: "load tables that auditlake alone has written"
        )
    }

    private static func numbers<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ layout: ColumnLayout,
        as type: ColumnType,
        _ value: Value.Type
    ) -> Column {
        var builder = FixedWidthBuilder<Value>(byteCount: layout.count * MemoryLayout<Value>.size)
        for row in 0..<layout.count {
            if layout.isValid(row), let number = layout.value(row, as: value) {
                builder.append(number)
            } else {
                builder.appendNull()
            }
        }
        return builder.finish(as: type)
    }

    private static func flags(_ layout: ColumnLayout) -> Column {
        var bits = ByteBuffer()
        var validity = ValidityBuilder()
        for row in 0..<layout.count {
            if !layout.isValid(row) {
                validity.appendNull(at: row)
            } else if layout.bit(row) {
                bits.setBit(row)
            }
        }
        bits.padWithZeros(to: (layout.count + 7) / 8)
        let (bitmap, nullCount) = validity.finish(count: layout.count)
        return Column(
            type: .boolean,
            count: layout.count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [bits.freeze()]
        )
    }

    /// Numbers as the shortest text that reads back as the same.
    private static func doubles(_ layout: ColumnLayout) -> Column {
        var builder = StringBuilder()
        var text = ByteBuffer()
        for row in 0..<layout.count {
            guard layout.isValid(row), let number = layout.value(row, as: Double.self) else {
                builder.appendNull()
                continue
            }
            text.removeAll()
            text.appendText("\(number)")
            builder.append(text.bytes)
        }
        return builder.finish()
    }

    private mutating func texts(_ column: TargetColumn, _ layout: ColumnLayout, _ cuts: inout Cuts) -> Column
    {
        var builder = StringBuilder()
        var clean = ByteBuffer()
        for row in 0..<layout.count {
            guard layout.isValid(row) else {
                builder.appendNull()
                continue
            }
            let text = layout.text(row)
            guard text.contains(0) else {
                append(text, to: &builder, column, row, &cuts)
                continue
            }
            clean.removeAll()
            for byte in text {
                if byte == 0 {
                    clean.appendText("\u{FFFD}")
                    replacedCount += 1
                } else {
                    clean.append(byte)
                }
            }
            append(clean.bytes, to: &builder, column, row, &cuts)
        }
        return builder.finish()
    }

    private mutating func append(
        _ text: UnsafeRawBufferPointer,
        to builder: inout StringBuilder,
        _ column: TargetColumn,
        _ row: Int,
        _ cuts: inout Cuts
    ) {
        let fitting = StagedText.fitting(text)
        builder.append(fitting)
        if fitting.count < text.count { note(text, column, row, &cuts) }
    }

    private mutating func note(
        _ text: UnsafeRawBufferPointer,
        _ column: TargetColumn,
        _ row: Int,
        _ cuts: inout Cuts
    ) {
        cutCount += 1
        cuts[row, default: []].append((column.name, StagedText.hash(text)))
    }

    private mutating func json(
        _ column: TargetColumn,
        _ shape: JSONShape,
        _ count: Int,
        _ cuts: inout Cuts
    ) -> Column {
        var builder = StringBuilder()
        var text = ByteBuffer()
        var cut = ByteBuffer()
        for row in 0..<count {
            guard shape.isValid(row) else {
                builder.appendNull()
                continue
            }
            text.removeAll()
            replacedCount += shape.append(row, to: &text)
            guard text.count > StagedText.byteLimit else {
                builder.append(text.bytes)
                continue
            }
            StagedText.cutJSON(text.bytes, into: &cut)
            builder.append(cut.bytes)
            note(text.bytes, column, row, &cuts)
        }
        return builder.finish()
    }

    private static func cutColumn(_ cuts: Cuts, _ count: Int) -> Column {
        var builder = StringBuilder()
        var text = ByteBuffer()
        for (row, found) in cuts.sorted(by: { $0.key < $1.key }) {
            builder.appendNulls(upTo: row)
            text.removeAll()
            for (index, cut) in found.enumerated() {
                text.appendText(index == 0 ? "{" : ",")
                Array(cut.column.utf8).withUnsafeBytes { _ = text.appendJSON($0) }
                text.appendText(":\"\(cut.hash)\"")
            }
            text.appendText("}")
            builder.append(text.bytes)
        }
        builder.appendNulls(upTo: count)
        return builder.finish()
    }

    private mutating func order(_ count: Int) -> Column {
        var builder = FixedWidthBuilder<Int64>(byteCount: count * 8)
        for _ in 0..<count {
            builder.append(rowNumber)
            rowNumber += 1
        }
        return builder.finish(as: .int64)
    }
}
