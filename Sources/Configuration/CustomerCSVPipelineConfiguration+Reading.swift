import Yams

extension CustomerCSVPipelineConfiguration {
    /// The keys of a pipeline of this kind, in the order in which they are documented.
    static let keys = [
        "kind", "source", "table", "customer", "event_time", "separator", "columns", "identity", "mask",
        "mask_key",
        "load", "on_change", "on_data_loss", "forget_after", "commit_every", "poll_every", "max_record_bytes",
        "batch_bytes",
    ]

    private static let objectsExample = "\"/var/audit/customers/**/*.csv\""

    /// Reads the pipeline; nil when something that it must have is missing or wrong, which the context then knows.
    init?(_ node: Node, name: String, context: ReadingContext) {
        let path = "pipelines.\(name)"
        guard let section = Section(node, name: path, keys: Self.keys, context: context) else { return nil }

        // Everything is read before anything is given up, so that all faults show at once.
        let source = section.objectSource(
            of: name,
            example: Self.objectsExample,
            verifyPrefix: nil,
            onChange: .reingest
        )
        let table = section.tableName("table")
        let customer = Self.customer(section)
        self.eventTimeColumn = section.text("event_time")
        self.separator = section.choice("separator", default: .auto)
        self.columnTypes = section.columnTypes("columns")
        self.excludedColumns = Self.excludedColumns(section)
        self.masks = section.masks("mask")
        self.maskKey = section.maskKey("mask_key", for: masks.isEmpty ? nil : section.node("mask"))
        self.onDataLoss = section.choice("on_data_loss", default: .fail)
        self.commitEvery = section.duration("commit_every", default: .seconds(1))
        self.maxRecordByteCount = section.recordByteCount("max_record_bytes", default: 1 << 20)
        self.batchByteCount = section.byteCount("batch_bytes", default: 1_000_000_000)
        self.load = section.load("load", of: table.map { "\($0.value.schema).\($0.value.table)" })
        guard let source, let table, let customer else { return nil }
        self.name = name
        self.source = source
        self.table = table
        self.customer = customer
    }

    /// What `customer` says; the column `customer` unless it says something.
    private static func customer(_ section: Section) -> Customer? {
        guard let node = section.node("customer") else { return .column(Setting("customer")) }
        let keys = ["column", "path"]
        guard
            let given = Section(node, name: section.path("customer"), keys: keys, context: section.context)
        else { return nil }
        let (column, path) = (given.text("column"), given.text("path"))
        if let column, path == nil { return .column(column) }
        if let path, column == nil {
            if path.value.split(separator: "{customer}", omittingEmptySubsequences: false).count == 2 {
                return .path(path)
            }
            let mend = "mark the customer's part of the path, such as path: \"csv/{customer}/\""
            section.refuse(node, "\(given.name).path “\(path)” does not name {customer} once", mend: mend)
            return nil
        }
        let mend = "write customer: {column: customer_id} or customer: {path: \"csv/{customer}/\"}"
        section.refuse(node, "\(given.name) needs one of column and path", mend: mend)
        return nil
    }

    /// What `identity: {exclude: […]}` says.
    private static func excludedColumns(_ section: Section) -> [Setting<String>] {
        guard let node = section.node("identity"),
            let given = Section(
                node,
                name: section.path("identity"),
                keys: ["exclude"],
                context: section.context
            )
        else { return [] }
        return given.texts("exclude", example: "[unique_identifier]") ?? []
    }
}
