/// One value of any type: for small tables such as checkpoints, never for the data path.
package indirect enum CellValue: Sendable {
    /// A missing value.
    case null
    /// For `boolean`.
    case boolean(Bool)
    /// For `int32` and `date`.
    case int32(Int32)
    /// For `int64` and `timestamp`.
    case int64(Int64)
    /// For `double`.
    case double(Double)
    /// For `string`.
    case string(String)
    /// For `map`; the pairs in order.
    case map([(key: String, value: String?)])
    /// For `list` of strings.
    case list([String])
    /// For `structure`; one value a field.
    case structure([CellValue])

}

extension Column {
    /// Lays out values of one type; a value of another type counts as missing.
    package init(_ type: ColumnType, values: [CellValue]) {
        switch type {
        case .boolean:
            var builder = BooleanBuilder()
            for value in values {
                if case .boolean(let flag) = value { builder.append(flag) } else { builder.appendNull() }
            }
            self = builder.finish()
        case .int32, .date:
            var builder = FixedWidthBuilder<Int32>()
            for value in values {
                if case .int32(let number) = value { builder.append(number) } else { builder.appendNull() }
            }
            self = builder.finish(as: type)
        case .int64, .timestamp:
            var builder = FixedWidthBuilder<Int64>()
            for value in values {
                if case .int64(let number) = value { builder.append(number) } else { builder.appendNull() }
            }
            self = builder.finish(as: type)
        case .double:
            var builder = DoubleBuilder()
            for value in values {
                if case .double(let number) = value { builder.append(number) } else { builder.appendNull() }
            }
            self = builder.finish()
        case .string, .dictionaryString: self = Self.strings(values)
        case .map: self = Self.maps(type, values)
        case .list: self = Self.lists(type, values)
        case .structure(let fields): self = Self.structures(fields, values)
        }
    }

    private static func strings(_ values: [CellValue]) -> Column {
        var builder = StringBuilder()
        for value in values {
            if case .string(var text) = value {
                text.withUTF8 { builder.append(UnsafeRawBufferPointer($0)) }
            } else {
                builder.appendNull()
            }
        }
        return builder.finish()
    }

    private static func offsets(_ counts: [Int]) -> FrozenBuffer {
        var offsets = ByteBuffer()
        var total: Int32 = 0
        offsets.append(total)
        for count in counts {
            total += Int32(count)
            offsets.append(total)
        }
        return offsets.freeze()
    }

    private static func bitmap(_ isValid: [Bool]) -> (validity: FrozenBuffer?, nullCount: Int) {
        var validity = ValidityBuilder()
        for (index, valid) in isValid.enumerated() where !valid { validity.appendNull(at: index) }
        return validity.finish(count: isValid.count)
    }

    private static func maps(_ type: ColumnType, _ values: [CellValue]) -> Column {
        let pairs = values.map { value in
            if case .map(let pairs) = value { pairs } else { nil as [(key: String, value: String?)]? }
        }
        let flat = pairs.flatMap { $0 ?? [] }
        let (validity, nullCount) = bitmap(pairs.map { $0 != nil })
        let fields = [ColumnField("key", .string, isNullable: false), ColumnField("value", .string)]
        let entries = Column(
            type: .structure(fields),
            count: flat.count,
            children: [
                Column(.string, values: flat.map { .string($0.key) }),
                Column(.string, values: flat.map { $0.value.map { .string($0) } ?? .null }),
            ]
        )
        return Column(
            type: type,
            count: values.count,
            nullCount: nullCount,
            validity: validity,
            buffers: [offsets(pairs.map { $0?.count ?? 0 })],
            children: [entries]
        )
    }

    private static func lists(_ type: ColumnType, _ values: [CellValue]) -> Column {
        let lists = values.map { value in if case .list(let texts) = value { texts } else { nil as [String]? }
        }
        let (validity, nullCount) = bitmap(lists.map { $0 != nil })
        return Column(
            type: type,
            count: values.count,
            nullCount: nullCount,
            validity: validity,
            buffers: [offsets(lists.map { $0?.count ?? 0 })],
            children: [Column(.string, values: lists.flatMap { $0 ?? [] }.map { .string($0) })]
        )
    }

    private static func structures(_ fields: [ColumnField], _ values: [CellValue]) -> Column {
        let rows = values.map { value in
            if case .structure(let cells) = value { cells } else { nil as [CellValue]? }
        }
        let (validity, nullCount) = bitmap(rows.map { $0 != nil })
        let children = fields.indices.map { index in
            Column(fields[index].type, values: rows.map { $0?[index] ?? .null })
        }
        return Column(
            type: .structure(fields),
            count: values.count,
            nullCount: nullCount,
            validity: validity,
            children: children
        )
    }
}
