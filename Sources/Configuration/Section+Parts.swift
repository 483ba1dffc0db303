import Yams

extension Section {
    /// Kinds of pipeline.
    private static let kinds = ["postgres", "databricks", "customer_csv"]

    /// Names that a pipeline cannot have, because the lake's own folder holds something else under them.
    private static let reservedPipelines: Set<String> = ["names"]

    /// Where the lake lies: a folder, or `s3://bucket/prefix`.
    func lakeLocation(_ key: String) -> Setting<LakeLocation>? {
        guard let text = requiredText(key, example: "./lake"), let node = node(key) else { return nil }
        guard text.value.contains("://") else {
            return text.map { .folder(FilePath.absolute($0, from: context.expander.folder)) }
        }
        guard let url = S3URL(text.value) else {
            refuse(
                node,
                "\(path(key)) “\(text)” is no place for a lake",
                mend: "write a folder or s3://bucket/name"
            )
            return nil
        }
        let prefix = url.key.split(separator: "/").joined(separator: "/")
        return text.map { _ in .s3(bucket: url.bucket, prefix: prefix) }
    }

    /// The pipelines in file order; those with faults are left out.
    func pipelines(_ key: String) -> [Pipeline] {
        guard let node = node(key), let pairs = Section.pairs(of: node, name: path(key), context: context)
        else {
            return []
        }
        var names: [String: String] = [:]
        let pipelines = pairs.compactMap { pair -> Pipeline? in
            let name = pair.key.value
            if !Identifier.isValid(name) {
                refusePipeline(pair.key, "is a name that not every engine takes", mend: Identifier.rule)
            } else if Self.reservedPipelines.contains(name.lowercased()) {
                refusePipeline(pair.key, "is reserved", mend: "choose another name")
            } else if let other = names.updateValue(name, forKey: name.lowercased()) {
                refusePipeline(
                    pair.key,
                    "differs from “\(other)” in letter case only",
                    mend: "choose another name"
                )
            }
            return pipeline(pair.value, name: name)
        }
        for pair in pairs { refuseForeignSchema(pair.value, of: pair.key.value, among: pipelines) }
        return pipelines
    }

    /// Refuses a table in a schema that a Databricks pipeline fills alone: its gold tables take any name there.
    private func refuseForeignSchema(_ node: Node, of name: String, among pipelines: [Pipeline]) {
        for pipeline in pipelines where pipeline.name == name {
            guard let table = pipeline.ownTable,
                let owner = context.owner(ofSchema: table.value.schema.lowercased())
            else { continue }
            refuse(
                node.mapping?["table"] ?? node,
                "pipelines.\(name).table “\(table.map { "\($0.schema).\($0.table)" })” lies in a schema of the databricks pipeline pipelines.\(owner), which fills it alone",
                mend: "choose another schema"
            )
        }
    }

    /// What the process may use.
    func limits(_ key: String) -> Limits {
        let standard = Limits(memoryByteCount: 150_000_000)
        guard let node = node(key),
            let section = Section(node, name: path(key), keys: ["memory"], context: context)
        else { return standard }
        return Limits(memoryByteCount: section.byteCount("memory", default: standard.memoryByteCount))
    }

    private func refusePipeline(_ key: Key, _ message: String, mend: String) {
        context.report(
            .invalidValue,
            at: key.position,
            "the pipeline name “\(key.value)” \(message)",
            mend: mend
        )
    }

    /// One pipeline by its kind; the keys of an unknown kind are not looked at.
    private func pipeline(_ node: Node, name: String) -> Pipeline? {
        let path = "pipelines.\(name)"
        guard let kindNode = Section.kind(of: node, name: path, context: context),
            let kind = context.text(kindNode, of: "\(path).kind")
        else { return nil }
        switch kind.value {
        case "postgres":
            return PostgresPipelineConfiguration(node, name: name, context: context).map(Pipeline.postgres)
        case "databricks":
            return DatabricksPipelineConfiguration(node, name: name, context: context).map(
                Pipeline.databricks
            )
        case "customer_csv":
            return CustomerCSVPipelineConfiguration(node, name: name, context: context).map(
                Pipeline.customerCSV
            )
        default:
            let all = "expected one of: \(Self.kinds.joined(separator: ", "))"
            let mend = kind.isSecret ? all : NearestName.mend(kind.value, among: Self.kinds)
            refuse(kindNode, "\(path).kind cannot be “\(kind)”", mend: mend)
        }
        return nil
    }

    /// The node of `kind` in a mapping whose other keys are not known yet.
    private static func kind(of node: Node, name: String, context: ReadingContext) -> Node? {
        guard let pairs = pairs(of: node, name: name, context: context) else { return nil }
        if let pair = pairs.first(where: { $0.key.value == "kind" && !$0.value.isLeftOut }) {
            return pair.value
        }
        let message = "\(name).kind is missing"
        context.report(.missingKey, at: SourcePosition(node), message, mend: "add kind: postgres")
        return nil
    }
}
