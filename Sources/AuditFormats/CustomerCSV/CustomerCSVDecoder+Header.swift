import CByteScan
import Columnar

extension CustomerCSVDecoder {
    /// Reads what lies before the records: a byte order mark, blank lines, the header.
    mutating func readHeader(_ rest: UnsafeRawBufferPointer, at offset: UInt64, isEnd: Bool) -> Step {
        if offset == 0 {
            guard rest.count >= 3 || isEnd else { return .stop(.needsMoreInput) }
            if rest.starts(with: [0xEF, 0xBB, 0xBF]) { return .done(3) }
        }
        if rest[0] == 0x0A || rest[0] == 0x0D { return passBlankLine(rest, at: offset, isEnd: isEnd) }
        guard let separator = settings.separator ?? CSVHeader.separator(of: rest, isEnd: isEnd) else {
            return .stop(.needsMoreInput)
        }
        splitter.dialect.separator = separator
        // Whether a carriage return ends records is seen from what ends the header.
        splitter.dialect.ends_with_cr = 1
        var found = look(at: rest, isEnd: isEnd)
        if case .record = found, splitter.fieldCount > splitter.capacity,
            splitter.fieldCount <= CSVHeader.maxColumnCount
        {
            splitter.reserve(splitter.fieldCount)
            found = look(at: rest, isEnd: isEnd)
        }
        switch found {
        case .record(let count): return takeHeader(rest, byteCount: count, at: offset)
        case .incomplete: return .stop(.needsMoreInput)
        case .damage(let damage):
            let seen = min(damage.byteCount, settings.maxRecordBytes)
            return refuse(UnsafeRawBufferPointer(rebasing: rest.prefix(seen)), at: offset, damage.detail)
        }
    }

    private mutating func passBlankLine(
        _ rest: UnsafeRawBufferPointer,
        at offset: UInt64,
        isEnd: Bool
    ) -> Step {
        var byteCount = 1
        if rest[0] == 0x0D {
            guard rest.count > 1 || isEnd else { return .stop(.needsMoreInput) }
            if rest.count > 1, rest[1] == 0x0A { byteCount = 2 }
        }
        countBlankLine(at: offset)
        return .done(byteCount)
    }

    private mutating func takeHeader(
        _ rest: UnsafeRawBufferPointer,
        byteCount: Int,
        at offset: UInt64
    ) -> Step {
        let record = UnsafeRawBufferPointer(rebasing: rest[..<splitter.byteCount])
        let bytes = record.bindMemory(to: UInt8.self)
        guard splitter.fieldCount <= CSVHeader.maxColumnCount else {
            return refuse(
                record,
                at: offset,
                "\(splitter.fieldCount) columns; at most \(CSVHeader.maxColumnCount) are read"
            )
        }
        guard bs_is_utf8(bytes.baseAddress, bytes.count) != 0, !bytes.contains(0) else {
            return refuse(record, at: offset, "the header is no text in UTF-8")
        }
        let texts = splitter.strings(in: record)
        guard texts.contains(where: { !CSVHeader.fold($0).isEmpty }) else {
            return refuse(record, at: offset, "the header names no column")
        }
        let endsWithReturn = byteCount == record.count + 1 && rest[record.count] == 0x0D
        splitter.dialect.ends_with_cr = endsWithReturn ? 1 : 0
        fields = FileFields(
            CSVHeader(texts, customerColumn: settings.customerColumn),
            settings,
            schema
        )
        file.isSampled = fields.pending.isEmpty
        file.stage = .records
        return .done(byteCount)
    }

    /// Gives a file up: without a header nothing of it can be told apart.
    private mutating func refuse(
        _ record: UnsafeRawBufferPointer,
        at offset: UInt64,
        _ detail: String
    ) -> Step {
        file.stage = .unusable
        appendFault(.unusableHeader, "\(detail); the rest of the file is not read", record, at: offset)
        return .done(record.count)
    }

    /// Passes over bytes of a file that is given up.
    mutating func passUnread(_ rest: UnsafeRawBufferPointer, at offset: UInt64) -> Step {
        let start = max(file.from, offset)
        let end = offset + UInt64(rest.count)
        totals.unreadByteCount += Int(end - min(start, end))
        return .done(rest.count)
    }
}
