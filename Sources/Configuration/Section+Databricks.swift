import Yams

extension Section {
    /// One path or URL with wildcards or a list of them, paths made absolute; nil and a fault when one is neither a path of
    /// this machine nor one of S3, or they lie in several places.
    func objectPatterns(_ key: String, example: String) -> [Setting<String>]? {
        guard let patterns = requiredTexts(key, example: example), let node = node(key) else { return nil }
        let nodes = node.sequence.map(Array.init) ?? [node]
        var places: Set<String> = []
        for (pattern, node) in zip(patterns, nodes) {
            guard pattern.value.contains("://") else {
                places.insert("")
                continue
            }
            guard let url = S3URL(pattern.value) else {
                refuse(
                    node,
                    "\(path(key)) “\(pattern)” is no URL of objects",
                    mend: "name files of this machine, or s3://bucket/prefix/**/*.json"
                )
                continue
            }
            places.insert(url.bucket)
        }
        if places.count > 1 {
            refuse(
                node,
                "\(path(key)) names objects of several places",
                mend: "make a pipeline for each bucket, and one for the folders of this machine"
            )
        }
        return patterns.map { pattern in
            pattern.value.contains("://")
                ? pattern : pattern.map { FilePath.absolute($0, from: context.expander.folder) }
        }
    }

    /// The days that a listing of a bucket looks at; nil when absent, and with a fault when the objects lie in folders.
    func listingDayCount(_ key: String, of objects: [Setting<String>]) -> Int? {
        guard let node = node(key) else { return nil }
        guard objects.allSatisfy({ $0.value.contains("://") }) else {
            let mend = "take it out: a look at folders of this machine costs no requests"
            refuse(node, "\(path(key)) is for objects in a bucket", mend: mend)
            return nil
        }
        return dayCount(key)
    }

    /// A number of days, as a time; nil when absent, and with a fault when they are no whole ones.
    func dayCount(_ key: String) -> Int? {
        guard let node = node(key), let text = context.text(node, of: path(key)) else { return nil }
        let day: Int64 = 86_400
        guard let duration = DurationText.parse(text.value), duration.components.attoseconds == 0,
            duration.components.seconds % day == 0
        else {
            refuse(node, "\(path(key)) cannot be “\(text)”", mend: "write whole days such as 7d, at least 1d")
            return nil
        }
        return Int(duration.components.seconds / day)
    }

    /// The schema of a pipeline's bronze and silver tables, which must be there.
    ///
    /// Neither it nor the schema of its gold tables may be that of another pipeline: a gold table takes the name of a
    /// service, and two pipelines would not agree on the columns.
    func medallionSchema(_ key: String, of pipeline: String) -> Setting<String>? {
        let example = "databricks_audit"
        guard let text = requiredText(key, example: example), let node = node(key),
            isSchema(text, node, of: path(key), suffix: "_gold")
        else { return nil }
        let schema = text.value.lowercased()
        for claim in [schema, "\(schema)_gold"] {
            guard let other = context.claim(schema: claim, for: pipeline) else { continue }
            refuse(
                node,
                "the tables of \(path(key)) “\(text)” would mix with those of pipelines.\(other)",
                mend: "give each databricks pipeline a schema of its own"
            )
            break
        }
        return text
    }

    /// A list of values without content: `null`, `""`, `{}`, `[]`.
    func emptyValues(
        _ key: String,
        default standard: Set<DatabricksPipelineConfiguration.EmptyValue>
    ) -> Set<DatabricksPipelineConfiguration.EmptyValue> {
        guard let node = node(key) else { return standard }
        let mend = "write a list of null, \"\", {} and [], such as \(key): [null, \"\"]"
        guard let elements = node.sequence else {
            context.report(.wrongType, at: SourcePosition(node), "\(path(key)) is not a list", mend: mend)
            return standard
        }
        var values: Set<DatabricksPipelineConfiguration.EmptyValue> = []
        for element in elements {
            if let value = element.emptyValue {
                values.insert(value)
            } else {
                refuse(element, "\(path(key)) holds a value that is not empty", mend: mend)
            }
        }
        return values
    }
}

extension Node {
    /// Which value without content the node is; nil for one with content.
    fileprivate var emptyValue: DatabricksPipelineConfiguration.EmptyValue? {
        switch self {
        case _ where isLeftOut: .null
        case .scalar(let scalar) where scalar.string.isEmpty: .emptyString
        case .mapping(let mapping) where mapping.isEmpty: .emptyObject
        case .sequence(let sequence) where sequence.isEmpty: .emptyArray
        default: nil
        }
    }
}
