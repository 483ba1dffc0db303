import Columnar
import Glibc
import ParquetFiles

/// Writes row groups in the format of PostgreSQL's `COPY … FROM STDIN (FORMAT binary)`, column by column in, row by row out.
///
/// Source: PostgreSQL's documentation, COPY, "Binary Format"; the types' receive functions.
package struct BinaryCopyEncoder: ~Copyable {
    /// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
    private static let epochMicroseconds: Int64 = 946_684_800_000_000
    private static let epochDays: Int32 = 10_957
    /// The first instant that PostgreSQL's timestamps can have, 4714-11-24 BC; the last is beyond all of the lake's.
    private static let firstInstant: Int64 = -211_813_488_000_000_000
    /// The days that its dates can have, 4714-11-24 BC to 5874897-12-31.
    private static let days: ClosedRange<Int32> = -2_451_545...2_145_031_948

    private let columns: [WireColumn]
    private let hasOrder: Bool
    private var constants: [[UInt8]?]
    private var rowNumber: Int64 = 0
    /// Encoded bytes that were not taken yet.
    private var out = ByteBuffer(capacity: 1 << 19)
    /// NUL characters that became U+FFFD.
    package private(set) var replacedCount = 0

    /// Begins a stream.
    ///
    /// - Parameters:
    ///   - columns: The columns, in the order of the COPY's list.
    ///   - hasOrder: Whether a last column numbers the rows.
    package init(_ columns: [WireColumn], hasOrder: Bool = false) {
        self.columns = columns
        self.hasOrder = hasOrder
        constants = Array(repeating: nil, count: columns.count)
    }

    /// Begins the data of one COPY.
    package mutating func begin() {
        out.appendText("PGCOPY\n")
        out.append(UInt8(0xFF))
        out.append(UInt8(ascii: "\r"))
        out.append(UInt8(ascii: "\n"))
        out.append(UInt8(0))
        out.append(Int32(0))
        out.append(Int32(0))
    }

    /// Ends the data of one COPY and hands out what is left.
    package mutating func end(_ take: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        out.append(Int16(-1).bigEndian)
        try take(out.bytes)
        out.removeAll()
    }

    /// Drops what was not taken.
    package mutating func abandon() { out.removeAll() }

    /// Sets the values that the rows of a file have by its name.
    ///
    /// - Parameters:
    ///   - values: Value by name of the column, as the log has it; nil, or an empty text, is a missing value.
    ///   - file: The file's name, for errors.
    /// - Throws: `WarehouseError` with `rejected` for a text that is no value of its column.
    package mutating func setPartition(_ values: [String: String?], of file: String) throws(WarehouseError) {
        for (index, column) in columns.enumerated() where column.isPartition {
            guard let text = values[column.lakeName] ?? nil, !text.isEmpty else {
                constants[index] = Self.field(nil)
                continue
            }
            guard let bytes = Self.bytes(of: text, column.type) else {
                throw WarehouseError(
                    .rejected,
                    "the file \(file) is filed under \(column.lakeName) “\(text)”, which is no \(column.type)",
                    mend: "the lake's log is damaged there; restore it from a backup"
                )
            }
            constants[index] = Self.field(bytes)
        }
    }

    private static func field(_ value: [UInt8]?) -> [UInt8] {
        guard let value else { return [0xFF, 0xFF, 0xFF, 0xFF] }
        return bigEndian(Int32(value.count)) + value
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func bytes(of text: String, _ type: WireType) -> [UInt8]? {
        switch type {
        case .text: Array(text.utf8)
        case .date: civilDay(text).map { bigEndian($0 - epochDays) }
        case .int8: Int64(text).map { bigEndian($0) }
        case .int4: Int32(text).map { bigEndian($0) }
        case .boolean: ["true": [1], "false": [0]][text]
        case .float8, .timestamp, .jsonb, .json: nil
        }
    }

    /// Where the values of one column lie; nothing that is counted, so that a row costs no retains.
    private struct Field {
        enum Kind {
            case missing, constant, text, cleanText, int8, int4, float8, boolean, timestamp, date, json, jsonb
        }
        var kind: Kind
        var index: Int
        var validity: UnsafeRawPointer?
        var values: UnsafeRawPointer?
        var data: UnsafeRawPointer?
        var offset: Int

        func isValid(_ row: Int) -> Bool {
            guard let validity else { return true }
            let at = row &+ offset
            return validity.load(fromByteOffset: at &>> 3, as: UInt8.self) &>> UInt8(at & 7) & 1 == 1
        }
    }

    /// Encodes a row group.
    ///
    /// - Parameters:
    ///   - rows: The row group, with or without each of the columns.
    ///   - file: The file's name, for errors.
    ///   - take: Takes encoded bytes, about half a megabyte at a time; they are valid during the call only.
    /// - Throws: `WarehouseError` with `rejected` for a column of another type, and what `take` throws.
    package mutating func encode(
        _ rows: ArrowView,
        of file: String,
        _ take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let found = Dictionary(
            rows.layout.children.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var shapes: [JSONShape?] = []
        var fields: [Field] = []
        for (index, column) in columns.enumerated() {
            let layout = column.isPartition ? nil : found[column.lakeName]
            let shape = layout.flatMap { $0.format.hasPrefix("+") ? JSONShape($0) : nil }
            shapes.append(shape)
            fields.append(try field(index, column, layout, shape, file))
        }
        let width = Int16(columns.count + (hasOrder ? 1 : 0)).bigEndian
        for row in 0..<rows.count {
            out.append(width)
            fields.withUnsafeBufferPointer { fields in
                for field in fields { append(field, row, shapes) }
            }
            if hasOrder {
                out.append(Int32(8).bigEndian)
                out.append(rowNumber.bigEndian)
                rowNumber += 1
            }
            if out.count >= 1 << 19 {
                try take(out.bytes)
                out.removeAll()
            }
        }
    }

    private func field(
        _ index: Int,
        _ column: WireColumn,
        _ layout: ColumnLayout?,
        _ shape: JSONShape?,
        _ file: String
    ) throws(WarehouseError) -> Field {
        var field = Field(kind: column.isPartition ? .constant : .missing, index: index, offset: 0)
        guard let layout else { return field }
        guard column.type.takes(layout.format), shape != nil || !layout.format.hasPrefix("+") else {
            throw WarehouseError(
                .rejected,
                "the file \(file) stores the column \(column.lakeName) in a form (\(layout.format)) that cannot be loaded as \(column.type)",
                mend: "load tables that auditlake alone has written"
            )
        }
        field.validity = layout.validity
        field.values = layout.first
        field.data = layout.second
        field.offset = layout.offset
        field.kind =
            switch column.type {
            case .text: Self.hasZero(layout.allText) ? .text : .cleanText
            case .int8: .int8
            case .int4: .int4
            case .float8: .float8
            case .boolean: .boolean
            case .timestamp: .timestamp
            case .date: .date
            case .jsonb: .jsonb
            case .json: .json
            }
        return field
    }

    private static func hasZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return false }
        return memchr(start, 0, bytes.count) != nil
    }

    @inline(__always)
    private mutating func append(_ field: Field, _ row: Int, _ shapes: [JSONShape?]) {
        if field.kind == .constant {
            constants[field.index]?.withUnsafeBytes { out.append($0) }
            return
        }
        guard field.kind != .missing, field.isValid(row) else {
            out.append(Int32(-1))
            return
        }
        if field.kind == .json || field.kind == .jsonb { return appendJSON(field, row, shapes) }
        guard let values = field.values else {
            out.append(Int32(-1))
            return
        }
        let at = row &+ field.offset
        switch field.kind {
        case .cleanText, .text: appendText(field, values, at)
        case .int8, .float8:
            out.append(Int32(8).bigEndian)
            out.append(values.load(fromByteOffset: at &* 8, as: UInt64.self).bigEndian)
        case .int4:
            out.append(Int32(4).bigEndian)
            out.append(values.load(fromByteOffset: at &* 4, as: UInt32.self).bigEndian)
        case .boolean:
            out.append(Int32(1).bigEndian)
            out.append(values.load(fromByteOffset: at &>> 3, as: UInt8.self) &>> UInt8(at & 7) & 1)
        case .timestamp: appendInstant(values.load(fromByteOffset: at &* 8, as: Int64.self))
        case .date: appendDay(values.load(fromByteOffset: at &* 4, as: Int32.self))
        case .json, .jsonb, .missing, .constant: break
        }
    }

    @inline(__always)
    private mutating func appendText(_ field: Field, _ offsets: UnsafeRawPointer, _ at: Int) {
        let start = Int(offsets.load(fromByteOffset: at &* 4, as: Int32.self))
        let end = Int(offsets.load(fromByteOffset: at &* 4 &+ 4, as: Int32.self))
        let bytes = UnsafeRawBufferPointer(start: field.data.map { $0 + start }, count: end - start)
        guard field.kind == .text, Self.hasZero(bytes) else {
            out.append(Int32(bytes.count).bigEndian)
            out.append(bytes)
            return
        }
        let place = beginSized()
        for byte in bytes {
            if byte == 0 {
                out.appendText("\u{FFFD}")
                replacedCount += 1
            } else {
                out.append(byte)
            }
        }
        endSized(place)
    }

    /// Times that PostgreSQL cannot have become its infinities.
    private mutating func appendInstant(_ microseconds: Int64) {
        let (shifted, overflow) = microseconds.subtractingReportingOverflow(Self.epochMicroseconds)
        out.append(Int32(8).bigEndian)
        out.append((overflow || shifted < Self.firstInstant ? Int64.min : shifted).bigEndian)
    }

    private mutating func appendDay(_ day: Int32) {
        let (shifted, overflow) = day.subtractingReportingOverflow(Self.epochDays)
        out.append(Int32(4).bigEndian)
        if overflow || shifted < Self.days.lowerBound {
            out.append(Int32.min.bigEndian)
        } else {
            out.append((shifted > Self.days.upperBound ? Int32.max : shifted).bigEndian)
        }
    }

    private mutating func appendJSON(_ field: Field, _ row: Int, _ shapes: [JSONShape?]) {
        let place = beginSized()
        if field.kind == .jsonb { out.append(UInt8(1)) }
        if let shape = shapes[field.index] { replacedCount += shape.append(row, to: &out) }
        endSized(place)
    }

    /// Leaves room for the size of a field; returns where.
    private mutating func beginSized() -> Int {
        out.append(Int32(0))
        return out.count
    }

    private mutating func endSized(_ place: Int) {
        out.overwrite(Int32(out.count - place).bigEndian, at: place - 4)
    }
}
