import Columnar
import Glibc

/// Lines that are longer than a record may be: bronze has them in pieces, the quarantine has their beginning.
extension DatabricksDecoder {
    /// The most bytes of such a line that go to the quarantine.
    static var quarantinedByteCount: Int { 64 << 10 }

    /// The longest line that is decoded.
    private var longestRecord: Int { min(settings.maxRecordBytes, settings.maxPendingBytes) }

    /// Whether pieces of a line have been decoded whose end has not.
    package var isInsideLine: Bool { longLine.byteCount > 0 }

    // MARK: From the source

    /// Decodes the line at the start of `bytes`, or the next piece of a long one.
    ///
    /// - Parameters:
    ///   - bytes: Not empty.
    ///   - offset: Offset of the first byte in the source.
    ///   - isEnd: Nothing follows.
    /// - Returns: Bytes that are done with; nil when more are needed.
    mutating func decodeLine(_ bytes: UnsafeRawBufferPointer, at offset: UInt64, isEnd: Bool) -> Int? {
        guard !longLine.isOpen else { return decodePiece(bytes, at: offset, isEnd: isEnd) }
        let newline = bytes.newline
        // The last byte of a line that seems a byte too long may be the first one of its end `\r\n`.
        if newline == nil, !isEnd, bytes.count <= settings.maxPendingBytes + 1 { return nil }
        let length = newline ?? bytes.count
        let line = bytes.first(length).withoutCarriageReturn
        guard line.count <= longestRecord else {
            longLine.begin(at: offset)
            return decodePiece(bytes, at: offset, isEnd: isEnd)
        }
        append(line, at: offset, isNew: true)
        return newline == nil ? length : length + 1
    }

    private mutating func decodePiece(_ bytes: UnsafeRawBufferPointer, at offset: UInt64, isEnd: Bool) -> Int?
    {
        let reach = bytes.first(pieceByteCount)
        if let newline = reach.newline {
            appendPiece(reach.first(newline).withoutCarriageReturn, at: offset)
            endLine()
            return newline + 1
        }
        let isFull = reach.count == pieceByteCount
        guard isFull || isEnd else { return nil }
        let piece = isFull ? reach.cutBetweenScalars : reach
        appendPiece(piece, at: offset)
        return piece.count
    }

    private mutating func appendPiece(_ piece: UnsafeRawBufferPointer, at offset: UInt64) {
        guard !piece.isEmpty else { return }
        longLine.append(piece, keeping: Self.quarantinedByteCount)
        countLine()
        if settings.buildsBronze { appendBronze(textOf(piece, at: offset)) }
    }

    // MARK: From bronze

    /// Decodes a row of bronze: a line, or a piece of one when it goes on where the row before it ended.
    mutating func decodeRow(_ row: UnsafeRawBufferPointer, at offset: UInt64) {
        countLine()
        let continues = isInsideLine && longLine.end == offset
        if !continues { endLine() }
        // Whether a line goes on behind a piece is seen with the next row.
        let isPiece = (pieceByteCount - 3...pieceByteCount).contains(row.count)
        guard continues || isPiece || row.count > longestRecord else {
            return append(row, at: offset, isNew: false)
        }
        if !continues { longLine.begin(at: offset) }
        longLine.append(row, keeping: max(longestRecord, Self.quarantinedByteCount))
        if !isPiece { endLine() }
    }

    // MARK: The end

    /// Decodes the line whose pieces came last, if there is one: nothing of it follows.
    package mutating func endLine() {
        guard longLine.isOpen else { return }
        let length = longLine.byteCount
        if length > longestRecord {
            appendLongLine()
        } else if length > 0 {
            // What was a long line once, or happens to have the length of a piece.
            append(longLine.keptBytes.withoutCarriageReturn, at: longLine.offset, isNew: false)
        }
        longLine.close()
    }

    private mutating func appendLongLine() {
        let length = longLine.byteCount
        let isCut = length > Self.quarantinedByteCount
        let kept = longLine.keptBytes
        let bytes = isCut ? kept.first(Self.quarantinedByteCount).cutBetweenScalars : kept
        let (code, key, limit): (RecordFault.Code, String, Int) =
            length > settings.maxPendingBytes
            ? (.tooLong, "max_pending_bytes", settings.maxPendingBytes)
            : (.oversized, "max_record_bytes", settings.maxRecordBytes)
        let range = ByteRange(longLine.offset, longLine.end)
        let record = Record(text: bytes, bytes: bytes, range: range, isLatin1: false)
        appendFault(code, "the line has \(length) bytes, \(key) is \(limit); bronze has all of it", record)
    }
}

extension UnsafeRawBufferPointer {
    /// At most `limit` bytes from the start.
    fileprivate func first(_ limit: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: prefix(limit))
    }

    /// Index of the first newline.
    fileprivate var newline: Int? {
        guard let base = baseAddress else { return nil }
        return memchr(base, Int32(UInt8(ascii: "\n")), count).map { UnsafeRawPointer($0) - base }
    }

    /// The bytes without `\r` at their end.
    fileprivate var withoutCarriageReturn: UnsafeRawBufferPointer {
        last == UInt8(ascii: "\r") ? first(count - 1) : self
    }

    /// The bytes without the beginning of a scalar of UTF-8 at their end.
    fileprivate var cutBetweenScalars: UnsafeRawBufferPointer {
        for back in 1...3 where back <= count {
            let byte = self[count - back]
            if byte & 0xC0 == 0x80 { continue }
            let width = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return width > back ? first(count - back) : self
        }
        return self
    }
}
