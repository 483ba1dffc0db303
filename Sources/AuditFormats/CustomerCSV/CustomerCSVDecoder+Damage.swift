import CByteScan
import Columnar

extension CustomerCSVDecoder {
    /// What is wrong with the bytes at the start of some others.
    struct Damage {
        var code: RecordFault.Code
        var detail: String
        /// How far the bytes were looked at until it was seen.
        var byteCount: Int
    }

    /// What lies at the start of some bytes.
    enum Found {
        /// A record, or a blank line, of so many bytes with its end; the splitter has it.
        case record(Int)
        /// Its end has not been read.
        case incomplete
        case damage(Damage)
    }

    /// Looks at the start of some bytes, which are not empty.
    ///
    /// Each answer but `incomplete` is the same however many bytes follow.
    @inline(__always)
    mutating func look(at rest: UnsafeRawBufferPointer, isEnd: Bool) -> Found {
        // A record of the greatest length with its line end.
        let limit = settings.maxRecordBytes + 2
        let isLong = rest.count > limit
        let bytes = isLong ? UnsafeRawBufferPointer(start: rest.baseAddress, count: limit) : rest
        switch splitter.step(bytes, isEnd: isEnd && !isLong) {
        case .record(let count):
            if splitter.byteCount <= settings.maxRecordBytes { return .record(count) }
        case .malformed(let field, let offset):
            return .damage(
                Damage(
                    code: .malformedField,
                    detail: "text behind the closing quote of field \(field), byte \(offset) of the record",
                    byteCount: offset + 1
                )
            )
        case .incomplete:
            if !isLong {
                guard isEnd else { return .incomplete }
                return .damage(
                    Damage(
                        code: .unclosedQuote,
                        detail: "the file ends inside the quotes of field \(splitter.fieldCount + 1)",
                        byteCount: rest.count
                    )
                )
            }
        }
        return .damage(
            Damage(
                code: .oversized,
                detail: "the record is longer than \(settings.maxRecordBytes) bytes",
                byteCount: settings.maxRecordBytes
            )
        )
    }

    /// Begins to look for the end of damage.
    mutating func begin(_ damage: Damage, at offset: UInt64) -> Step {
        file.fault = (damage.code, damage.detail)
        file.searched = offset
        file.stage = .damage
        return .done(0)
    }

    /// Passes damage.
    ///
    /// It ends at the next newline, in quotes or not, behind which a record is sound and has as many fields as the header.
    /// What is longer than a record may be goes to the quarantine in pieces.
    mutating func passDamage(_ rest: UnsafeRawBufferPointer, at offset: UInt64, isEnd: Bool) -> Step {
        var searched = Int(file.searched - offset)
        let end = nextSound(rest, from: &searched, upTo: settings.maxRecordBytes, isEnd: isEnd)
        file.searched = offset + UInt64(searched)
        var byteCount = min(rest.count, settings.maxRecordBytes)
        switch end {
        case .needsMore: return .stop(.needsMoreInput)
        case .found(let next):
            byteCount = next
            file.stage = .records
        case .none: break
        }
        appendFault(
            file.fault.code,
            file.fault.detail,
            UnsafeRawBufferPointer(rebasing: rest[..<byteCount]),
            at: offset
        )
        return .done(byteCount)
    }

    /// Where damage ends.
    enum DamageEnd {
        case found(Int)
        case needsMore
        /// Not up to the limit, nor before the end of the file.
        case none
    }

    /// Finds the first place behind a newline where a sound record begins.
    ///
    /// A record that opens a quote reaches to the next quote; one that does so in vain is refused there, so all candidates
    /// together cost little more than the bytes between them.
    ///
    /// - Parameters:
    ///   - rest: The bytes.
    ///   - searched: Where the search begins; afterwards where it would go on.
    ///   - limit: The last place that counts.
    ///   - isEnd: Nothing follows.
    /// - Returns: The place.
    mutating func nextSound(
        _ rest: UnsafeRawBufferPointer,
        from searched: inout Int,
        upTo limit: Int,
        isEnd: Bool
    ) -> DamageEnd {
        while let newline = nextNewline(rest, from: searched), newline < limit {
            let candidate = newline + 1
            guard candidate < rest.count else { return isEnd ? .none : .needsMore }
            switch look(at: UnsafeRawBufferPointer(rebasing: rest[candidate...]), isEnd: isEnd) {
            case .record:
                if splitter.byteCount > 0, splitter.fieldCount == fields.list.count {
                    return .found(candidate)
                }
            case .incomplete: return .needsMore
            case .damage: break
            }
            searched = candidate
        }
        searched = max(searched, min(rest.count, limit))
        return isEnd || rest.count >= limit ? .none : .needsMore
    }

    private func nextNewline(_ rest: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let endsWithReturn = splitter.dialect.ends_with_cr != 0
        for index in start..<max(start, rest.count)
        where rest[index] == 0x0A || (endsWithReturn && rest[index] == 0x0D) {
            return index
        }
        return nil
    }

    /// Appends bytes that became no row to the quarantine; as `***` when there are masks, since nobody can tell whether they
    /// hold what is masked.
    mutating func appendFault(
        _ code: RecordFault.Code,
        _ detail: String,
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64
    ) {
        guard offset >= file.from else { return }
        totals.quarantineRowCount += 1
        let fault = RecordFault(
            code: code,
            detail: detail,
            range: ByteRange(offset, offset + UInt64(bytes.count))
        )
        if settings.masks.isEmpty {
            quarantine.append(fault, raw: bytes, source: file.sourceName, ingestTime: ingestTime)
        } else {
            let hidden: StaticString = "***"
            quarantine.append(
                fault,
                raw: UnsafeRawBufferPointer(start: hidden.utf8Start, count: hidden.utf8CodeUnitCount),
                source: file.sourceName,
                ingestTime: ingestTime
            )
        }
    }
}
