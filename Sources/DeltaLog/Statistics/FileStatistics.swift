import JSONText

/// What is known of one leaf column of one file.
package struct ColumnStatistics: Hashable, Sendable {
    /// Field names from the outermost struct down.
    package var path: [String]
    /// Smallest value, or a value below it; nil when unknown or when all rows are null.
    package var minimum: StatisticValue?
    /// Largest value, or a value above it; nil when unknown or when all rows are null.
    package var maximum: StatisticValue?
    /// Number of null rows, when known.
    package var nullCount: Int64?

    package init(
        path: [String],
        minimum: StatisticValue? = nil,
        maximum: StatisticValue? = nil,
        nullCount: Int64? = nil
    ) {
        self.path = path
        self.minimum = minimum
        self.maximum = maximum
        self.nullCount = nullCount
    }
}

/// The statistics of one data file, from which readers skip files.
///
/// Every bound that is written holds for every reader: strings are cut to 32 Unicode scalars with the maximum
/// rounded up in UTF-8 byte order, timestamps to milliseconds with the minimum rounded down and the maximum
/// up. A bound that cannot be written so is left out.
///
/// Source: protocol section "Per-file Statistics".
package struct FileStatistics: Hashable, Sendable {
    /// Number of rows.
    package var recordCount: Int64
    /// Leaf columns in schema order: the fields of one struct stand together.
    package var columns: [ColumnStatistics]

    package init(recordCount: Int64, columns: [ColumnStatistics] = []) {
        self.recordCount = recordCount
        self.columns = columns
    }

    /// The text for `add.stats`.
    package var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("numRecords", recordCount)
            writer.member("minValues", leaves { $0.minimum?.bound(.lower) })
            writer.member("maxValues", leaves { $0.maximum?.bound(.upper) })
            writer.member("nullCount", leaves { $0.nullCount.map(JSONValue.integer) })
        }
        return writer.text
    }

    /// Reads the number of rows from the text of `add.stats`, of any writer.
    ///
    /// - Returns: The number, or nil when the text does not have it.
    /// - Throws: `DeltaLogError` with `malformedStatistics` when the text is no JSON object.
    package static func recordCount(in stats: String) throws(DeltaLogError) -> Int64? {
        do {
            return try JSONReader.read(stats.utf8) { reader in
                var count: Int64?
                try reader.object { reader, name in
                    if name == "numRecords" {
                        count = try reader.optional { try $0.integer() }
                    } else {
                        try reader.skip()
                    }
                }
                return count
            }
        } catch {
            throw DeltaLogError(.malformedStatistics, "statistics cannot be read: \(error)")
        }
    }

    private func leaves(_ value: (ColumnStatistics) -> JSONValue?) -> ArraySlice<StatisticLeaf> {
        columns.compactMap { column in
            value(column).map { StatisticLeaf(path: column.path[...], value: $0) }
        }[...]
    }
}

/// One value in the tree of `minValues`, `maxValues` or `nullCount`.
private struct StatisticLeaf {
    var path: ArraySlice<String>
    var value: JSONValue
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ leaves: ArraySlice<StatisticLeaf>) {
        key(name)
        value(leaves)
    }

    /// Writes neighbours with one first name as members of one object.
    private mutating func value(_ leaves: ArraySlice<StatisticLeaf>) {
        object { writer in
            var rest = leaves
            while let first = rest.first, let name = first.path.first {
                let group = rest.prefix { $0.path.first == name }
                rest = rest.dropFirst(group.count)
                if first.path.count == 1 {
                    writer.key(name)
                    writer.value(first.value)
                } else {
                    writer.member(name, group.map { $0.below }[...])
                }
            }
        }
    }
}

extension StatisticLeaf {
    fileprivate var below: StatisticLeaf {
        StatisticLeaf(path: path.dropFirst(), value: value)
    }
}
