import Yams

extension PostgresPipelineConfiguration {
    /// The keys of a pipeline of this kind, in the order in which they are documented.
    static let keys = [
        "kind", "source", "role", "node", "keep", "table", "timezone", "redact", "statement", "bronze",
        "on_data_loss",
        "max_record_bytes", "batch_bytes", "max_pending_bytes",
    ]

    /// The longest record in bytes: offsets in a column have 31 bits, and a record that is no UTF-8 doubles.
    private static let longestRecord = 512 << 20

    /// Reads the pipeline; nil when something that it must have is missing or wrong, which the context then knows.
    init?(_ node: Node, name: String, context: ReadingContext) {
        let path = "pipelines.\(name)"
        guard let section = Section(node, name: path, keys: Self.keys, context: context) else { return nil }
        if section.flag("bronze", default: false) { section.refuseUnreleased(["bronze"]) }

        // Everything is read before anything is given up, so that all faults show at once.
        let files = Self.files(section)
        let role = section.requiredText("role", example: "primary")
        let table = section.tableName("table")
        self.keep = section.choice("keep", default: .all)
        self.timeZone = section.timeZone("timezone")
        self.redact = section.flag("redact", default: true)
        self.statement = section.choice("statement", default: .normalized)
        self.onDataLoss = section.choice("on_data_loss", default: .fail)
        self.maxRecordByteCount = section.byteCount(
            "max_record_bytes",
            default: 1 << 20,
            atMost: Self.longestRecord
        )
        self.batchByteCount = section.byteCount("batch_bytes", default: 1_000_000_000)
        self.maxPendingByteCount = section.byteCount(
            "max_pending_bytes",
            default: 128 << 20,
            atMost: Self.longestRecord
        )
        self.node =
            section.node("node").flatMap { _ in section.requiredText("node", example: name) } ?? Setting(name)
        guard let files, let role, let table else { return nil }
        self.name = name
        self.files = files
        self.role = role
        self.table = table
    }

    private static func files(_ section: Section) -> [Setting<String>]? {
        let example = "\"/var/log/postgresql/*.csv\""
        guard let node = section.required("source", example: "{files: \(example)}"),
            let source = Section(
                node,
                name: section.path("source"),
                keys: ["files"],
                context: section.context
            ),
            let patterns = source.requiredTexts("files", example: example)
        else { return nil }
        for pattern in patterns where pattern.value.contains("://") {
            source.refuse(
                node,
                "\(source.path("files")) “\(pattern)” is a URL",
                mend: "name files of this machine"
            )
        }
        let folder = section.context.expander.folder
        return patterns.map { pattern in pattern.map { FilePath.absolute($0, from: folder) } }
    }
}
