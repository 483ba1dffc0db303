import CByteScan
import Columnar

extension FileFields {
    /// Appends the values of a record to the present row.
    ///
    /// - Parameters:
    ///   - texts: One a field; an empty one is a missing value. None of them is of a pending column.
    ///   - time: The event's, when it could be read.
    ///   - columns: The row group.
    ///   - keys: The names of the table's columns.
    ///   - hash: For masks.
    /// - Returns: How many values went to `_rescued`.
    @inline(__always)
    func append(
        _ texts: UnsafePointer<bs_text>,
        time: ReadTimestamp?,
        to columns: inout CustomerCSVColumns,
        keys: [[UInt8]],
        hash: borrowing KeyedHash
    ) -> Int {
        var rescuedCount = 0
        for index in 0..<list.count where texts[index].length > 0 {
            let text = UnsafeRawBufferPointer(start: texts[index].bytes, count: texts[index].length)
            let slot = list[index].slot.index
            var isRescued = false
            switch list[index].use {
            case .unused, .pending: break
            case .text: columns.setText(text, at: slot)
            case .integer:
                if let value = CSVValue.integer(text) {
                    columns.setInteger(value, at: slot)
                } else {
                    isRescued = true
                }
            case .double:
                if let value = CSVValue.double(text) {
                    columns.setDouble(value, at: slot)
                } else {
                    isRescued = true
                }
            case .boolean:
                if let value = CSVValue.boolean(text) {
                    columns.setBoolean(value, at: slot)
                } else {
                    isRescued = true
                }
            case .timestamp:
                if let time = list[index].format.read(text), !time.isCut {
                    columns.setInteger(time.microseconds, at: slot)
                } else {
                    isRescued = true
                }
            case .eventTime:
                if let time { columns.setInteger(time.microseconds, at: slot) }
                isRescued = time?.isCut ?? true
            case .masked: rescuedCount += appendMasked(text, index, to: &columns, keys, hash)
            }
            if isRescued {
                keys[list[index].column].withUnsafeBytes { columns.rescue($0, text) }
                rescuedCount += 1
            }
        }
        return rescuedCount
    }

    /// Appends what a mask leaves of a value; a column that was no text before it was masked gets none.
    ///
    /// - Returns: How many values went to `_rescued`.
    @inline(never)
    private func appendMasked(
        _ text: UnsafeRawBufferPointer,
        _ index: Int,
        to columns: inout CustomerCSVColumns,
        _ keys: [[UInt8]],
        _ hash: borrowing KeyedHash
    ) -> Int {
        guard let mask = list[index].mask else { return 0 }
        return mask.withMasked(text, hash) { masked in
            guard !masked.isEmpty else { return 0 }
            if list[index].slot.kind == .text {
                columns.setText(masked, at: list[index].slot.index)
                return 0
            }
            keys[list[index].column].withUnsafeBytes { columns.rescue($0, masked) }
            return 1
        }
    }
}

extension ColumnMask {
    /// Gives what the mask leaves of a text.
    func withMasked<Result>(
        _ text: UnsafeRawBufferPointer,
        _ hash: borrowing KeyedHash,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        switch self {
        case .drop: return body(UnsafeRawBufferPointer(start: nil, count: 0))
        case .hash:
            let id = hash(text)
            return withUnsafeTemporaryAllocation(byteCount: EventID.hexByteCount, alignment: 8) { digits in
                if let base = digits.baseAddress { id.writeHex(to: base) }
                return body(UnsafeRawBufferPointer(digits))
            }
        case .truncate(let count):
            var end = 0
            var left = count
            while end < text.count {
                if text[end] & 0xC0 != 0x80 {
                    if left <= 0 { break }
                    left -= 1
                }
                end += 1
            }
            return body(UnsafeRawBufferPointer(rebasing: text[..<end]))
        }
    }
}
