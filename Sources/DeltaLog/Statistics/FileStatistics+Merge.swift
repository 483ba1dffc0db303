import JSONText

extension FileStatistics {
    /// The statistics of a file that holds the rows of several, from their `add.stats`.
    ///
    /// A bound survives when every file has it or has nothing but nulls in that column.
    ///
    /// - Returns: The text for `add.stats`, or nil when some file has no statistics with a row count.
    /// - Throws: `DeltaLogError` with `malformedStatistics`.
    package static func merged(_ texts: [String?]) throws(DeltaLogError) -> String? {
        var parts: [[String: JSONValue]] = []
        for text in texts {
            guard let text else { return nil }
            do {
                parts.append(try JSONReader.read(text.utf8) { try $0.value() }.object ?? [:])
            } catch {
                throw DeltaLogError(.malformedStatistics, "statistics cannot be read: \(error)")
            }
        }
        let counts = parts.compactMap { $0["numRecords"]?.integer }
        guard let first = parts.first, counts.count == parts.count else { return nil }
        var result = MergedStatistics(parts: parts, counts: counts)
        result.walk(first["nullCount"]?.object ?? [:], path: [])
        var writer = JSONWriter()
        writer.value(
            JSONValue.object([
                "numRecords": .integer(counts.reduce(0, +)), "minValues": result.minimums,
                "maxValues": result.maximums,
                "nullCount": result.nullCounts,
            ])
        )
        return writer.text
    }
}

/// Collects bounds and null counts column by column.
private struct MergedStatistics {
    let parts: [[String: JSONValue]]
    let counts: [Int64]
    var minimums = JSONValue.object([:])
    var maximums = JSONValue.object([:])
    var nullCounts = JSONValue.object([:])

    mutating func walk(_ columns: [String: JSONValue], path: [String]) {
        for (name, value) in columns {
            let column = path + [name]
            if let inner = value.object { walk(inner, path: column) } else { merge(column) }
        }
    }

    private mutating func merge(_ column: [String]) {
        let nulls = parts.map { $0["nullCount"]?.descendant(column)?.integer }
        guard nulls.allSatisfy({ $0 != nil }) else { return }
        nullCounts.set(.integer(nulls.reduce(0) { $0 + ($1 ?? 0) }), at: column[...])
        let filled = parts.indices.filter { nulls[$0] != counts[$0] }
        let lows = filled.map { parts[$0]["minValues"]?.descendant(column) }
        let highs = filled.map { parts[$0]["maxValues"]?.descendant(column) }
        if let low = extreme(lows, { $0.precedes($1) }) { minimums.set(low, at: column[...]) }
        if let high = extreme(highs, { $1.precedes($0) }) { maximums.set(high, at: column[...]) }
    }

    /// The value that precedes all others; nil when one is missing or there is none.
    private func extreme(_ values: [JSONValue?], _ precedes: (JSONValue, JSONValue) -> Bool) -> JSONValue? {
        var result: JSONValue?
        for value in values {
            guard let value else { return nil }
            if let best = result, !precedes(value, best) { continue }
            result = value
        }
        return result
    }
}

extension JSONValue {
    fileprivate func descendant(_ path: [String]) -> JSONValue? {
        path.reduce(self) { value, name in value?.object?[name] }
    }

    fileprivate mutating func set(_ value: JSONValue, at path: ArraySlice<String>) {
        guard let name = path.first, var members = object else {
            self = value
            return
        }
        var inner = members[name] ?? .object([:])
        if path.count == 1 { inner = value } else { inner.set(value, at: path.dropFirst()) }
        members[name] = inner
        self = .object(members)
    }

    /// Order within one column; texts (dates and timestamps among them) by their UTF-8 bytes.
    fileprivate func precedes(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.integer(let left), .integer(let right)): left < right
        case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.boolean(let left), .boolean(let right)): !left && right
        default: (number ?? 0) < (other.number ?? 0)
        }
    }

    private var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}
