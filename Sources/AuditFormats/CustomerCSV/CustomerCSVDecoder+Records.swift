import CByteScan
import Columnar

extension CustomerCSVDecoder {
    /// Decodes the record at the start of some bytes, or passes a blank line.
    mutating func decodeRecord(_ rest: UnsafeRawBufferPointer, at offset: UInt64, isEnd: Bool) -> Step {
        switch look(at: rest, isEnd: isEnd) {
        case .incomplete: return .stop(.needsMoreInput)
        case .damage(let damage): return begin(damage, at: offset)
        case .record(let byteCount):
            guard splitter.byteCount > 0 else {
                countBlankLine(at: offset)
                return .done(byteCount)
            }
            if !file.isSampled, offset >= file.from {
                file.stage = .sampling
                return .done(0)
            }
            if let stop = append(rest, at: offset) { return .stop(stop) }
            return .done(byteCount)
        }
    }

    mutating func countBlankLine(at offset: UInt64) {
        if offset >= file.from { totals.blankLineCount += 1 }
    }

    /// Whether the record that was split last is valid UTF-8.
    @inline(__always)
    func isText(_ rest: UnsafeRawBufferPointer) -> Bool {
        guard splitter.hasHighBytes else { return true }
        let bytes = rest.bindMemory(to: UInt8.self)
        return bs_is_utf8(bytes.baseAddress, splitter.byteCount) != 0
    }

    /// Undoes the quotes of the record that was split last.
    @inline(__always)
    mutating func findTexts(_ rest: UnsafeRawBufferPointer) {
        let bytes = rest.bindMemory(to: UInt8.self)
        unquoted.removeAll()
        unquoted.append(atMost: splitter.byteCount) { room in
            bs_csv_texts(
                bytes.baseAddress,
                splitter.fields,
                UInt32(fields.list.count),
                room.assumingMemoryBound(to: UInt8.self),
                splitter.texts
            )
            return 0
        }
    }

    /// Appends the record that was split last to the rows, or to the quarantine.
    ///
    /// - Returns: What is to be done before it can be.
    @inline(__always)
    private mutating func append(_ rest: UnsafeRawBufferPointer, at offset: UInt64) -> Stop? {
        let fieldCount = fields.list.count
        guard splitter.fieldCount == fieldCount, isText(rest) else {
            quarantineRecord(rest, at: offset)
            return nil
        }
        findTexts(rest)
        let texts = splitter.texts
        texts[fieldCount] = customer()
        fields.identity.write(texts, byteCount: splitter.byteCount + texts[fieldCount].length, to: &identity)
        let first = hash(identity.bytes)
        // Both tables may lie outside the caches: what is done before they are asked for costs nothing.
        equalRecords.prefetch(first.high)
        let time = eventTime()
        let day = time.map { EventTime.day(of: $0.microseconds) }
        let isOld = offset < file.from
        if settings.deduplicates, !isOld {
            guard index.isKnown(day) else { return day.map { .needsDay($0) } ?? .needsUndated }
            index.prefetch(first, day: day)
        }
        let ordinal = equalRecords.add(first.high)
        if isOld { return nil }
        let id = ordinal == 0 ? first : hash(first, ordinal: ordinal)
        if settings.deduplicates, !index.insert(id, day: day) {
            totals.duplicateCount += 1
            return nil
        }
        if !fields.pending.isEmpty { addPendingColumns() }
        appendRow(id, time, at: offset)
        return nil
    }

    /// The customer as the file names it; the quotes are undone.
    @inline(__always)
    private func customer() -> bs_text {
        if let index = fields.customerIndex, splitter.texts[index].length > 0 { return splitter.texts[index] }
        let text = file.customer.bytes.bindMemory(to: UInt8.self)
        return bs_text(bytes: text.baseAddress, length: text.count)
    }

    @inline(__always)
    private func eventTime() -> ReadTimestamp? {
        guard let index = fields.eventTimeIndex, splitter.texts[index].length > 0 else { return nil }
        let text = splitter.texts[index]
        return fields.eventTimeFormat.read(UnsafeRawBufferPointer(start: text.bytes, count: text.length))
    }

    @inline(never)
    private mutating func quarantineRecord(_ rest: UnsafeRawBufferPointer, at offset: UInt64) {
        let record = UnsafeRawBufferPointer(rebasing: rest[..<splitter.byteCount])
        if splitter.fieldCount != fields.list.count {
            let detail = "\(fields.list.count) fields expected, \(splitter.fieldCount) found"
            appendFault(.raggedRecord, detail, record, at: offset)
        } else {
            appendFault(.badText, "the record is no text in UTF-8", record, at: offset)
        }
    }

    /// Adds columns that have their first value in this record.
    @inline(never)
    private mutating func addPendingColumns() {
        for index in fields.pending where splitter.texts[index].length > 0 {
            fields.add(index, as: nil, to: &schema)
        }
    }

    @inline(__always)
    private mutating func appendRow(_ id: EventID, _ time: ReadTimestamp?, at offset: UInt64) {
        let rows = rows(of: EventTime.day(of: time?.microseconds ?? ingestTime))
        totals.rowCount += 1
        if time == nil { totals.undatedRowCount += 1 }
        let byteCount = splitter.byteCount + fields.list.count * 4 + 64
        rows.byteCount += byteCount
        rowByteCount += byteCount
        let customer = UnsafeRawBufferPointer(
            start: splitter.texts[fields.list.count].bytes,
            count: splitter.texts[fields.list.count].length
        )
        let rescuedCount = append(to: &rows.columns, id, time, customer, Int64(bitPattern: offset))
        totals.rescuedValueCount += rescuedCount
    }

    @inline(__always)
    private func append(
        to columns: inout CustomerCSVColumns,
        _ id: EventID,
        _ time: ReadTimestamp?,
        _ customer: UnsafeRawBufferPointer,
        _ offset: Int64
    ) -> Int {
        let rescuedCount = fields.append(
            splitter.texts,
            time: time,
            to: &columns,
            keys: schema.keys,
            hash: hash
        )
        var row = CustomerCSVColumns.RowEnd(
            id: id,
            customer: customer,
            file: fileNumber,
            source: file.source.bytes,
            offset: offset,
            ingestTime: ingestTime,
            hasRescued: rescuedCount > 0
        )
        if let mask = fields.customerMask, !customer.isEmpty {
            mask.withMasked(customer, hash) {
                row.customer = $0
                columns.close(row)
            }
        } else {
            columns.close(row)
        }
        return rescuedCount
    }

    @inline(__always)
    private mutating func rows(of date: Int32) -> CustomerCSVRows {
        if let recentDay, recentDay.date == date { return recentDay }
        return openRows(of: date)
    }

    @inline(never)
    private mutating func openRows(of date: Int32) -> CustomerCSVRows {
        let rows = days[date] ?? CustomerCSVRows(date: date)
        if days[date] == nil {
            rows.byteCount = Self.emptyRowsByteCount
            rowByteCount += Self.emptyRowsByteCount
            days[date] = rows
        }
        recentDay = rows
        return rows
    }

    /// Roughly the bytes that a row group takes before it has rows.
    private static var emptyRowsByteCount: Int { 12 << 10 }
}
