import Columnar
import DeltaLog

extension DataType {
    /// How values of this type lie in memory; nil for types that no table of ours has.
    package var columnType: ColumnType? {
        switch self {
        case .boolean: .boolean
        case .integer: .int32
        case .long: .int64
        case .date: .date
        case .timestamp: .timestamp
        case .string: .string
        case .double: .double
        case .binary: nil
        case .map(let key, let value, _):
            if let key = key.columnType, let value = value.columnType {
                .map(key: key, value: value)
            } else {
                nil
            }
        case .array(let element, _): element.columnType.map { .list($0) }
        case .structure(let schema): schema.columns.map { .structure($0) }
        }
    }
}

extension TableSchema {
    /// The schema as columns; nil when a type has no column.
    package var columns: [ColumnField]? {
        var columns: [ColumnField] = []
        for field in fields {
            guard let type = field.type.columnType else { return nil }
            columns.append(ColumnField(field.name, type, isNullable: field.nullable))
        }
        return columns
    }

    /// The schema of a table with these columns, partition columns last.
    package init(columns: [ColumnField], partitionColumns: [ColumnField]) {
        self.init(
            (columns + partitionColumns).map { column in
                SchemaField(column.name, column.type.dataType, nullable: column.isNullable)
            }
        )
    }
}

extension ColumnType {
    fileprivate var dataType: DataType {
        switch self {
        case .boolean: .boolean
        case .int32: .integer
        case .int64: .long
        case .double: .double
        case .date: .date
        case .timestamp: .timestamp
        case .string, .dictionaryString: .string
        case .map(let key, let value): .map(key: key.dataType, value: value.dataType, valueContainsNull: true)
        case .list(let element): .array(element: element.dataType, containsNull: true)
        case .structure(let fields): .structure(TableSchema(columns: fields, partitionColumns: []))
        }
    }
}
