import Yams

extension PostgresPipelineConfiguration {
    /// The keys of a pipeline of this kind, in the order in which they are documented.
    static let keys = [
        "kind", "source", "role", "node", "keep", "exclude", "table", "timezone", "redact", "statement",
        "bronze",
        "on_data_loss",
        "start", "commit_every", "forget_after", "max_record_bytes", "batch_bytes", "max_pending_bytes",
        "load",
    ]

    /// Reads the pipeline; nil when something that it must have is missing or wrong, which the context then knows.
    init?(_ node: Node, name: String, context: ReadingContext) {
        let path = "pipelines.\(name)"
        guard let section = Section(node, name: path, keys: Self.keys, context: context) else { return nil }
        if section.flag("bronze", default: false) { section.refuseUnreleased(["bronze"]) }

        // Everything is read before anything is given up, so that all faults show at once.
        let source = Self.source(section)
        let files = Self.files(source)
        let role = section.requiredText("role", example: "primary")
        let table = section.tableName("table")
        self.keep = section.choice("keep", default: .all)
        self.fileFormat = source?.choice("format", default: .auto) ?? .auto
        let exclude = Self.exclude(section)
        self.excludedRoles = exclude?.texts("roles", example: "loader") ?? []
        self.excludedApplications = exclude?.texts("applications", example: "auditlake") ?? []
        self.timeZone = section.timeZone("timezone")
        self.redact = section.flag("redact", default: true)
        self.statement = section.choice("statement", default: .normalized)
        self.start = section.startPoint("start")
        self.commitEvery = section.duration("commit_every", default: .seconds(1))
        self.forgetAfter = section.duration("forget_after", default: .seconds(7 * 86_400))
        self.currentLogfiles = Self.currentLogfiles(source)
        self.onDataLoss = section.choice("on_data_loss", default: .fail)
        self.maxRecordByteCount = section.recordByteCount("max_record_bytes", default: 1 << 20)
        self.batchByteCount = section.byteCount("batch_bytes", default: 1_000_000_000)
        self.maxPendingByteCount = section.recordByteCount("max_pending_bytes", default: 128 << 20)
        self.node =
            section.node("node").flatMap { _ in section.requiredText("node", example: name) } ?? Setting(name)
        self.load = section.load("load", of: table.map { "\($0.value.schema).\($0.value.table)" })
        guard let files, let role, let table else { return nil }
        self.name = name
        self.files = files
        self.role = role
        self.table = table
    }

    private static let filesExample = "\"/var/log/postgresql/*.csv\""

    private static func source(_ section: Section) -> Section? {
        guard let node = section.required("source", example: "{files: \(filesExample)}") else { return nil }
        let keys = ["files", "format", "current_logfiles"]
        return Section(node, name: section.path("source"), keys: keys, context: section.context)
    }

    private static func exclude(_ section: Section) -> Section? {
        guard let node = section.node("exclude") else { return nil }
        let keys = ["roles", "applications"]
        return Section(node, name: section.path("exclude"), keys: keys, context: section.context)
    }

    private static func currentLogfiles(_ source: Section?) -> Setting<String>? {
        guard let source, let path = source.text("current_logfiles") else { return nil }
        return path.map { FilePath.absolute($0, from: source.context.expander.folder) }
    }

    private static func files(_ source: Section?) -> [Setting<String>]? {
        // PostgreSQL itself can say which files it writes.
        if let source, source.node("files") == nil, source.node("current_logfiles") != nil { return [] }
        guard let source, let patterns = source.requiredTexts("files", example: filesExample) else {
            return nil
        }
        for pattern in patterns where pattern.value.contains("://") {
            guard let node = source.node("files") else { continue }
            source.refuse(
                node,
                "\(source.path("files")) “\(pattern)” is a URL",
                mend: "name files of this machine"
            )
        }
        let folder = source.context.expander.folder
        return patterns.map { pattern in pattern.map { FilePath.absolute($0, from: folder) } }
    }
}
