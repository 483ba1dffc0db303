import CSimdJSON
import Columnar

extension DatabricksDecoder {
    /// Appends the event that was parsed last.
    mutating func appendEvent(_ record: Record) {
        totals.recordCount += 1
        scratch.rescued.removeAll(keepingCapacity: true)
        for index in 0..<found.rescued_count {
            let pair = found.rescued[index]
            rescue(pair.key.text, pair.value)
        }
        let time = eventTime()
        if let rule = brokenRule(time, record) {
            totals.recordCount -= 1
            return appendFault(rule.faultCode, "the event breaks the rule \(rule.rawValue)", record)
        }
        totals.silverRowCount += 1
        enterSharedTexts()
        let serviceEntry = scratch.entries[SharedColumn.serviceName.rawValue]
        let service = eventServices.index(ofEntry: serviceEntry, in: pools[.serviceName])
        while totals.goldRowCounts.count <= service { totals.goldRowCounts.append(0) }
        totals.goldRowCounts[service] += 1
        findKeys(of: service)
        let hasMetadata = found.metadata_name.isPresent
        if hasMetadata { collectMetadata() }

        var row = EventRow(time: time, entries: scratch.entries)
        row.requestID = found.fields[SJ_FIELD_REQUEST_ID].textUnlessNull
        row.hasResponse = found.has_response != 0
        row.statusCode = statusCode()
        row.errorMessage = found.fields[SJ_FIELD_ERROR_MESSAGE].textUnlessNull
        row.result = found.fields[SJ_FIELD_RESULT].textUnlessNull
        row.ingestTime = ingestTime
        row.sourceOffset = Int64(bitPattern: record.range.lowerBound)
        // Behind the record's own fields, which keep their names.
        envelope.append(to: &scratch.rescued)
        if scratch.rescued.count > 1 { makeRescuedNamesUnique() }
        let given = found.fields[SJ_FIELD_EVENT_ID].textUnlessNull
        row.eventID = given ?? ordinals.id(of: record.bytes)
        let date = time?.day ?? EventTime.day(of: ingestTime)
        if settings.buildsSilver { appendSilver(row, date: date, service: service, hasMetadata: hasMetadata) }
        if settings.buildsGold { appendGold(row, date: date, service: service, hasMetadata: hasMetadata) }
    }

    // MARK: Fields

    private mutating func enterSharedTexts() {
        enter(.version, SJ_FIELD_VERSION)
        enter(.accountID, SJ_FIELD_ACCOUNT_ID)
        enter(.workspaceID, SJ_FIELD_WORKSPACE_ID)
        enter(.sourceIPAddress, SJ_FIELD_SOURCE_IP)
        enter(.userAgent, SJ_FIELD_USER_AGENT)
        enter(.sessionID, SJ_FIELD_SESSION_ID)
        enter(.email, SJ_FIELD_EMAIL)
        enter(.subjectName, SJ_FIELD_SUBJECT_NAME)
        enter(.serviceName, SJ_FIELD_SERVICE_NAME)
        enter(.actionName, SJ_FIELD_ACTION_NAME)
        enter(.auditLevel, SJ_FIELD_AUDIT_LEVEL)
        scratch.entries[SharedColumn.source.rawValue] = sourceText.withUnsafeBytes {
            pools[.source].entry(of: $0)
        }
    }

    @inline(__always)
    private mutating func enter(_ column: SharedColumn, _ field: sj_field) {
        let text = found.fields[field].textUnlessNull
        scratch.entries[column.rawValue] =
            text.map { pools[column].entry(of: $0) } ?? PooledColumnBuilder.missing
    }

    /// The time of the event; what could not be read as one, and what the columns do not show, is rescued.
    private mutating func eventTime() -> EventTime? {
        let stamp = found.fields[SJ_FIELD_TIMESTAMP]
        let written = found.fields[SJ_FIELD_TIME]
        var time = stamp.textUnlessNull.flatMap { EventTime(epochMilliseconds: $0) ?? EventTime(iso: $0) }
        if time == nil, stamp.textUnlessNull != nil { rescue(SJ_FIELD_TIMESTAMP) }
        if let text = written.textUnlessNull {
            let other = EventTime(iso: text) ?? EventTime(epochMilliseconds: text)
            if let other, time == nil || time?.milliseconds == other.milliseconds {
                // The finer one of two that agree.
                time = other
            } else {
                rescue(SJ_FIELD_TIME)
            }
        }
        if let date = found.fields[SJ_FIELD_DATE].textUnlessNull {
            let day = EventTime(iso: date)?.day
            if day == nil || day != time?.day || date.count != 10 { rescue(SJ_FIELD_DATE) }
        }
        return time
    }

    private mutating func statusCode() -> Int64? {
        guard let text = found.fields[SJ_FIELD_STATUS_CODE].textUnlessNull else { return nil }
        if let code = Int64(wholeNumber: text) { return code }
        rescue(SJ_FIELD_STATUS_CODE)
        return nil
    }

    // MARK: Maps

    private mutating func findKeys(of service: Int) {
        scratch.reserveKeys(found.param_count)
        let pairs = UnsafeBufferPointer(start: found.params, count: found.param_count)
        guard eventServices.findKeys(pairs, of: service, scratch.keys) else { return }
        for index in pairs.indices where scratch.keys[index] < 0 {
            rescue(path(found.params_name, pairs[index].key), pairs[index].value)
        }
    }

    /// Collects `identity_metadata`; a key that was there before is rescued.
    private mutating func collectMetadata() {
        scratch.metadata.removeAll(keepingCapacity: true)
        var seen: Set<[UInt8]> = []
        // A few keys are compared faster than hashed.
        let isShort = found.metadata_count <= Self.shortCount
        func has(_ key: UnsafeRawBufferPointer) -> Bool {
            isShort
                ? scratch.metadata.contains { $0.key.equals(key) }
                : !seen.insert(Array(key)).inserted
        }
        for index in 0..<found.metadata_count {
            let pair = found.metadata[index]
            let key = pair.key.text
            if has(key) {
                rescue(path(found.metadata_name, pair.key), pair.value)
            } else {
                scratch.metadata.append(TextPair(key: key, value: pair.value.textUnlessNull))
            }
        }
    }

    private mutating func rescue(_ name: UnsafeRawBufferPointer, _ value: sj_value) {
        scratch.rescued.append(TextPair(key: name, value: value.textUnlessNull))
    }

    private mutating func rescue(_ field: sj_field) {
        rescue(sj_event_field_name(parser, field).text, found.fields[field])
    }

    private func path(_ object: sj_value, _ key: sj_value) -> UnsafeRawBufferPointer {
        sj_event_path(parser, object, key, 1).text
    }

    /// Gives the second, third… of equal names a number: a map has each key once.
    private mutating func makeRescuedNamesUnique() {
        if scratch.rescued.count <= Self.shortCount, scratch.rescuedNamesDiffer { return }
        // By name, the last number that was given behind it.
        var numbers: [[UInt8]: UInt32] = [:]
        for index in scratch.rescued.indices {
            let name = scratch.rescued[index].key
            guard var number = numbers[Array(name)] else {
                numbers[Array(name)] = 1
                continue
            }
            var key = sj_value()
            key.bytes = name.bindMemory(to: UInt8.self).baseAddress
            key.length = UInt32(name.count)
            var unique = name
            repeat {
                number += 1
                unique = sj_event_path(parser, sj_value(), key, number).text
            } while numbers[Array(unique)] != nil
            numbers[Array(name)] = number
            numbers[Array(unique)] = 1
            scratch.rescued[index].key = unique
        }
    }

    // MARK: Rows

    private mutating func appendSilver(_ row: EventRow, date: Int32, service: Int, hasMetadata: Bool) {
        let rows = silverRows(for: date)
        var byteCount = rows.columns.append(
            row,
            metadata: hasMetadata ? scratch.metadata : nil,
            rescued: scratch.rescued
        )
        if found.params_name.isPresent {
            byteCount += append(to: &rows.params, eventServices.states[service].keys.globalEntries)
        } else {
            rows.params.appendNull()
        }
        rows.byteCount += byteCount
        eventByteCount += byteCount
    }

    private func append(to params: inout PooledMapBuilder, _ globalEntries: [Int32]) -> Int {
        var byteCount = 4
        for index in 0..<found.param_count {
            let key = scratch.keys[index]
            guard key >= 0 else { continue }
            let value = found.params[index].value
            if value.isNull {
                params.appendNull(key: globalEntries[Int(key)])
            } else {
                params.append(key: globalEntries[Int(key)], value.text)
            }
            byteCount += 8 + Int(value.length)
        }
        params.closeMap()
        return byteCount
    }

    private mutating func silverRows(for date: Int32) -> SilverRows {
        if let recentSilver, recentSilver.date == date { return recentSilver }
        let rows: SilverRows
        if let known = silver[date] {
            rows = known
        } else {
            rows = SilverRows(date: date)
            silver[date] = rows
            eventByteCount += Self.emptyRowsByteCount
        }
        recentSilver = rows
        return rows
    }

    private mutating func appendGold(_ row: EventRow, date: Int32, service: Int, hasMetadata: Bool) {
        let (rows, isNew) = eventServices.states[service].rows(for: date)
        if isNew { eventByteCount += Self.emptyRowsByteCount }
        var byteCount = rows.columns.append(
            row,
            metadata: hasMetadata ? scratch.metadata : nil,
            rescued: scratch.rescued
        )
        if found.params_name.isPresent {
            let first = eventServices.schemas[service].keepsPlaceholder ? 1 : 0
            byteCount += append(to: &rows.params, firstField: first)
        } else {
            rows.params.appendNull()
        }
        rows.byteCount += byteCount
        eventByteCount += byteCount
    }

    private func append(to params: inout TextStructBuilder, firstField: Int) -> Int {
        var byteCount = -params.fieldByteCount
        for index in 0..<found.param_count {
            let key = scratch.keys[index]
            let value = found.params[index].value
            guard key >= 0, !value.isNull else { continue }
            params.set(value.text, field: firstField + Int(key))
            byteCount += 4 + Int(value.length)
        }
        params.close()
        return byteCount + params.fieldByteCount
    }

    /// So many names are compared each with each.
    private static var shortCount: Int { 16 }

    /// Roughly the bytes that a row group takes before it has rows.
    static var emptyRowsByteCount: Int { 12 << 10 }
}

extension DatabricksDecoder.Scratch {
    fileprivate var rescuedNamesDiffer: Bool {
        for index in rescued.indices {
            let name = rescued[index].key
            if rescued[..<index].contains(where: { $0.key.equals(name) }) { return false }
        }
        return true
    }
}

extension UnsafePointer<sj_value> {
    @inline(__always)
    subscript(field: sj_field) -> sj_value { self[Int(field.rawValue)] }
}
