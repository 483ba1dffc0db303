import Columnar
import ParquetFiles

/// A nested column, ready to be written as JSON text value by value.
indirect enum JSONShape {
    case text(ColumnLayout)
    case int64(ColumnLayout)
    case int32(ColumnLayout)
    case double(ColumnLayout)
    case boolean(ColumnLayout)
    case map(ColumnLayout, firstEntry: Int, key: ColumnLayout, value: JSONShape)
    case list(ColumnLayout, element: JSONShape)
    case structure(ColumnLayout, fields: [(key: [UInt8], shape: JSONShape)])

    /// Takes a column as Arrow lays it out; nil for a type that JSON has no plain form for.
    init?(_ layout: ColumnLayout) {
        switch layout.format {
        case "u": self = .text(layout)
        case "l": self = .int64(layout)
        case "i": self = .int32(layout)
        case "g": self = .double(layout)
        case "b": self = .boolean(layout)
        case "+m":
            guard let entries = layout.children.first, entries.children.count == 2,
                entries.children[0].format == "u", let value = JSONShape(entries.children[1])
            else { return nil }
            self = .map(layout, firstEntry: entries.offset, key: entries.children[0], value: value)
        case "+l":
            guard let element = layout.children.first.flatMap(JSONShape.init) else { return nil }
            self = .list(layout, element: element)
        case "+s":
            var fields: [(key: [UInt8], shape: JSONShape)] = []
            for child in layout.children {
                guard let shape = JSONShape(child) else { return nil }
                var name = ByteBuffer()
                Array(child.name.utf8).withUnsafeBytes { _ = name.appendJSON($0) }
                name.append(UInt8(ascii: ":"))
                fields.append((Array(name.bytes), shape))
            }
            self = .structure(layout, fields: fields)
        default: return nil
        }
    }

    private var layout: ColumnLayout {
        switch self {
        case .text(let layout), .int64(let layout), .int32(let layout), .double(let layout),
            .boolean(let layout), .map(let layout, _, _, _), .list(let layout, _), .structure(let layout, _):
            layout
        }
    }

    /// Whether value `index` is there.
    func isValid(_ index: Int) -> Bool { layout.isValid(index) }

    /// Appends value `index`, which is there, as JSON text without blanks.
    ///
    /// Missing fields of a structure are left out; a missing value of a map or list is `null`, and so is a number that JSON
    /// does not have.
    ///
    /// - Returns: How many NUL characters became U+FFFD.
    func append(_ index: Int, to out: inout ByteBuffer) -> Int {
        switch self {
        case .text(let layout): return out.appendJSON(layout.text(index))
        case .int64(let layout): out.appendText("\(layout.value(index, as: Int64.self) ?? 0)")
        case .int32(let layout): out.appendText("\(layout.value(index, as: Int32.self) ?? 0)")
        case .double(let layout):
            let number = layout.value(index, as: Double.self) ?? 0
            out.appendText(number.isFinite ? "\(number)" : "null")
        case .boolean(let layout): out.appendText(layout.bit(index) ? "true" : "false")
        case .map(let layout, let firstEntry, let key, let value):
            return Self.appendSequence(layout.range(index), "{", "}", to: &out) { at, out in
                let replaced = out.appendJSON(key.text(at + firstEntry))
                out.append(UInt8(ascii: ":"))
                return replaced + value.appendOrNull(at + firstEntry, to: &out)
            }
        case .list(let layout, let element):
            return Self.appendSequence(layout.range(index), "[", "]", to: &out) { at, out in
                element.appendOrNull(at, to: &out)
            }
        case .structure(let layout, let fields):
            return appendFields(fields, index + layout.offset, to: &out)
        }
        return 0
    }

    private func appendOrNull(_ index: Int, to out: inout ByteBuffer) -> Int {
        if isValid(index) { return append(index, to: &out) }
        out.appendText("null")
        return 0
    }

    private func appendFields(
        _ fields: [(key: [UInt8], shape: JSONShape)],
        _ index: Int,
        to out: inout ByteBuffer
    ) -> Int {
        var replaced = 0
        var isFirst = true
        out.append(UInt8(ascii: "{"))
        for field in fields where field.shape.isValid(index) {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            field.key.withUnsafeBytes { out.append($0) }
            replaced += field.shape.append(index, to: &out)
        }
        out.append(UInt8(ascii: "}"))
        return replaced
    }

    private static func appendSequence(
        _ range: Range<Int>,
        _ open: Unicode.Scalar,
        _ close: Unicode.Scalar,
        to out: inout ByteBuffer,
        _ body: (Int, inout ByteBuffer) -> Int
    ) -> Int {
        var replaced = 0
        out.append(UInt8(ascii: open))
        for at in range {
            if at > range.lowerBound { out.append(UInt8(ascii: ",")) }
            replaced += body(at, &out)
        }
        out.append(UInt8(ascii: close))
        return replaced
    }
}

extension ByteBuffer {
    mutating func appendText(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a text with the quotes and escapes of JSON.
    ///
    /// - Returns: How many NUL characters became U+FFFD: neither PostgreSQL's text nor its jsonb can hold one.
    mutating func appendJSON(_ text: UnsafeRawBufferPointer) -> Int {
        append(UInt8(ascii: "\""))
        var replaced = 0
        var start = 0
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            append(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            start = index + 1
            switch byte {
            case 0:
                appendText("\u{FFFD}")
                replaced += 1
            case UInt8(ascii: "\n"): appendText("\\n")
            case UInt8(ascii: "\t"): appendText("\\t")
            case UInt8(ascii: "\r"): appendText("\\r")
            case 0x01...0x1F:
                appendText(byte < 16 ? "\\u000\(String(byte, radix: 16))" : "\\u00\(String(byte, radix: 16))")
            default:
                append(UInt8(ascii: "\\"))
                append(byte)
            }
        }
        append(UnsafeRawBufferPointer(rebasing: text[start..<text.count]))
        append(UInt8(ascii: "\""))
        return replaced
    }
}
