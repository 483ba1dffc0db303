import Yams

extension DatabricksPipelineConfiguration {
    /// The keys of a pipeline of this kind, in the order in which they are documented.
    static let keys = [
        "kind", "source", "schema", "strip", "expectations", "verify_prefix", "on_change", "on_data_loss",
        "forget_after", "commit_every", "poll_every", "max_record_bytes", "batch_bytes", "max_pending_bytes",
        "load",
    ]

    private static let objectsExample = "\"/var/audit/databricks/**/*.json*\""

    /// Reads the pipeline; nil when something that it must have is missing or wrong, which the context then knows.
    init?(_ node: Node, name: String, context: ReadingContext) {
        let path = "pipelines.\(name)"
        guard let section = Section(node, name: path, keys: Self.keys, context: context) else { return nil }

        // Everything is read before anything is given up, so that all faults show at once.
        let source = section.objectSource(
            of: name,
            example: Self.objectsExample,
            verifyPrefix: .tail,
            onChange: .report
        )
        let schema = section.medallionSchema("schema", of: name)
        self.strip = section.emptyValues("strip", default: [.null, .emptyString])
        self.expectations = Self.expectations(section)
        self.onDataLoss = section.choice("on_data_loss", default: .fail)
        self.commitEvery = section.duration("commit_every", default: .seconds(1))
        self.maxRecordByteCount = section.recordByteCount("max_record_bytes", default: 16 << 20)
        self.batchByteCount = section.byteCount("batch_bytes", default: 1_000_000_000)
        self.maxPendingByteCount = section.recordByteCount("max_pending_bytes", default: 128 << 20)
        self.load = section.load("load", of: schema.map { "\($0.value).silver" })
        guard let source, let schema else { return nil }
        self.name = name
        self.source = source
        self.schema = schema
    }

    /// The action of every rule: as given, or the default.
    private static func expectations(_ section: Section) -> [Rule: RuleAction] {
        let given = section.node("expectations").flatMap { node in
            Section(
                node,
                name: section.path("expectations"),
                keys: Rule.allCases.map(\.rawValue),
                context: section.context
            )
        }
        return Dictionary(
            uniqueKeysWithValues: Rule.allCases.map { rule in (rule, action(of: rule, given)) }
        )
    }

    private static func action(of rule: Rule, _ section: Section?) -> RuleAction {
        let standard = rule.concernsEvents ? RuleAction.warn : .fail
        guard let section, let node = section.node(rule.rawValue) else { return standard }
        let action = section.choice(rule.rawValue, default: standard)
        guard action == .drop, !rule.concernsEvents else { return action }
        let mend = "write warn or fail: the rule compares the tables of a batch, there is no event to drop"
        section.refuse(node, "\(section.path(rule.rawValue)) cannot drop", mend: mend)
        return standard
    }
}
