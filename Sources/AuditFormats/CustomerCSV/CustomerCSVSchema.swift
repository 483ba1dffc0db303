/// The columns that the files of a pipeline have had.
struct CustomerCSVSchema {
    private(set) var columns: [CSVColumn] = []
    private(set) var layout = ColumnLayout()
    /// The columns' names in the table, as bytes.
    private(set) var keys: [[UInt8]] = []
    private var indices: [String: Int] = [:]
    /// Folded names that are taken in the table.
    private var taken: Set<String>

    init(_ columns: [CSVColumn]) {
        let own = CustomerCSVColumns.ownFields.map(\.name) + ["date"]
        taken = SafeName.reservedColumns.union(own.map { SafeName.folded($0) })
        for column in columns { append(column) }
    }

    /// The column of a header's name.
    func index(of name: String) -> Int? { indices[name] }

    /// Adds a column; its name in the table is safe, and unlike all others'.
    ///
    /// - Returns: Its index.
    mutating func add(_ name: String, _ type: CSVColumnType) -> Int {
        let column = SafeName.claim(SafeName.column(name), in: &taken)
        append(CSVColumn(name: name, column: column, type: type))
        return columns.count - 1
    }

    private mutating func append(_ column: CSVColumn) {
        taken.insert(SafeName.folded(column.column))
        indices[column.name] = columns.count
        layout.add(column.type)
        keys.append(Array(column.column.utf8))
        columns.append(column)
    }
}
