import CByteScan
import Columnar

/// What becomes of a field of a file.
struct FileField {
    enum Use {
        /// Nothing: it is not in the table, or stands in the column `customer`.
        case unused
        /// The column has had no value yet, and is not in the table.
        case pending
        case text
        case integer
        case double
        case boolean
        case timestamp
        /// The event's time, in a column of its format.
        case eventTime
        case masked
    }

    var use = Use.unused
    /// Index of the column in the table, and of its builder among those of its kind.
    var column = 0
    var slot = ColumnSlot(kind: .text, index: 0)
    var mask: ColumnMask?
    /// What a pending column will be.
    var type = CSVColumnType.text
    /// How a timestamp is written.
    var format = TimestampFormat.iso
}

/// The fields of a file by its header.
struct FileFields {
    private(set) var names: [CSVHeader.Name] = []
    private(set) var list: [FileField] = []
    /// Fields whose columns have had no value yet.
    private(set) var pending: [Int] = []
    private(set) var identity = RecordIdentity([])
    private(set) var customerIndex: Int?
    private(set) var customerMask: ColumnMask?
    private(set) var eventTimeIndex: Int?
    private(set) var eventTimeFormat = TimestampFormat.iso

    /// Fields of no file.
    init() {}

    /// Finds out what becomes of the fields of a file.
    ///
    /// - Parameters:
    ///   - header: The file's.
    ///   - settings: With folded names.
    ///   - schema: The columns known so far.
    init(_ header: CSVHeader, _ settings: CustomerCSVSettings, _ schema: CustomerCSVSchema) {
        names = header.names
        customerIndex = settings.customerColumn.flatMap { name in names.firstIndex { $0.written == name } }
        customerMask = customerIndex.flatMap { settings.mask(of: names[$0]) }
        let isExcluded = names.map {
            settings.excluded.contains($0.written) || settings.excluded.contains($0.unique)
        }
        identity = RecordIdentity(
            names.indices.map { $0 == customerIndex || isExcluded[$0] ? nil : names[$0].unique }
                + [settings.excluded.contains(CSVHeader.customerName) ? nil : CSVHeader.customerName]
        )
        findEventTime(settings)
        for index in names.indices { list.append(field(index, settings, schema)) }
        pending = list.indices.filter { list[$0].use == .pending }
    }

    private mutating func findEventTime(_ settings: CustomerCSVSettings) {
        let wanted = settings.eventTimeColumn.map { [$0] } ?? ["event_time", "timestamp"]
        for name in wanted {
            guard let index = names.firstIndex(where: { $0.written == name }), index != customerIndex else {
                continue
            }
            // The day of a row would tell what is masked.
            guard settings.mask(of: names[index]) == nil else { return }
            eventTimeIndex = index
            if case .timestamp(let format) = settings.declaredType(of: names[index]) {
                eventTimeFormat = format
            }
            return
        }
    }

    private func field(
        _ index: Int,
        _ settings: CustomerCSVSettings,
        _ schema: CustomerCSVSchema
    ) -> FileField {
        var field = FileField()
        let name = names[index]
        field.mask = settings.mask(of: name)
        guard index != customerIndex, field.mask != .drop else { return field }
        if field.mask != nil {
            field.type = .text
        } else if index == eventTimeIndex {
            field.type = .timestamp(eventTimeFormat)
        } else {
            field.type = settings.declaredType(of: name) ?? .text
        }
        field.use = .pending
        if let column = schema.index(of: name.unique) { bind(&field, index, to: column, schema) }
        return field
    }

    private func bind(_ field: inout FileField, _ index: Int, to column: Int, _ schema: CustomerCSVSchema) {
        field.column = column
        field.slot = schema.layout.slots[column]
        field.type = schema.columns[column].type
        switch field.type {
        case .text: field.use = .text
        case .integer: field.use = .integer
        case .double: field.use = .double
        case .boolean: field.use = .boolean
        case .timestamp(let format):
            field.format = format
            field.use = index == eventTimeIndex && format == eventTimeFormat ? .eventTime : .timestamp
        }
        if field.mask != nil { field.use = .masked }
    }

    /// Whether the type of a pending field's column is to be found out from its values.
    func isToBeInferred(_ index: Int, _ settings: CustomerCSVSettings) -> Bool {
        list[index].mask == nil && index != eventTimeIndex && settings.declaredType(of: names[index]) == nil
    }

    /// Adds the column of a pending field to the table.
    ///
    /// - Parameters:
    ///   - index: Of the field.
    ///   - type: What was found out of its values; nil for what was known before.
    ///   - schema: The table's columns.
    mutating func add(_ index: Int, as type: CSVColumnType?, to schema: inout CustomerCSVSchema) {
        if let type { list[index].type = type }
        let column = schema.add(names[index].unique, list[index].type)
        bind(&list[index], index, to: column, schema)
        pending.removeAll { $0 == index }
    }
}

extension CustomerCSVSettings {
    /// Of a second column of a name as of the first, unless settings name it by itself.
    fileprivate func mask(of name: CSVHeader.Name) -> ColumnMask? {
        masks[name.unique] ?? masks[name.written]
    }

    fileprivate func declaredType(of name: CSVHeader.Name) -> CSVColumnType? {
        declared[name.unique] ?? declared[name.written]
    }
}
