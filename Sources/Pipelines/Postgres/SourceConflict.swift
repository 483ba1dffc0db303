import AuditFormats

/// The files that a pipeline reads, and where their rows go.
package struct SourceFiles: Hashable, Sendable {
    /// The pipeline.
    package var pipeline: String
    /// Which server wrote the files.
    package var node: String
    /// The table, `schema.table`.
    package var table: String
    /// What each file holds, by its path without links.
    package var formats: [String: LogFormat]

    /// Creates a description.
    package init(pipeline: String, node: String, table: String, formats: [String: LogFormat]) {
        self.pipeline = pipeline
        self.node = node
        self.table = table
        self.formats = formats
    }
}

/// Files that would bring every record into a table twice.
package enum SourceConflict: Hashable, Sendable {
    /// One server's csvlog and jsonlog tell the same records.
    case bothFormats(csv: String, json: String, node: String, table: String, pipelines: [String])
    /// Two pipelines read one file into one table.
    case readTwice(path: String, table: String, pipelines: [String])

    /// Finds the conflicts within and between pipelines.
    ///
    /// - Parameter sources: The files of each pipeline of the configuration, or of one alone.
    /// - Returns: At most one conflict of each kind for a table and node, or for a table and two pipelines.
    package static func find(among sources: [SourceFiles]) -> [SourceConflict] {
        bothFormats(sources) + readTwice(sources)
    }

    private struct Target: Hashable {
        var table: String
        var node: String
    }

    private static func bothFormats(_ sources: [SourceFiles]) -> [SourceConflict] {
        Dictionary(grouping: sources) { Target(table: $0.table.lowercased(), node: $0.node) }
            .compactMap { target, sources -> SourceConflict? in
                guard let csv = first(.csvlog, in: sources), let json = first(.jsonlog, in: sources) else {
                    return nil
                }
                return .bothFormats(
                    csv: csv.path,
                    json: json.path,
                    node: target.node,
                    table: sources[0].table,
                    pipelines: csv.pipeline == json.pipeline ? [csv.pipeline] : [csv.pipeline, json.pipeline]
                )
            }
            .sorted { $0.message < $1.message }
    }

    private static func first(
        _ format: LogFormat,
        in sources: [SourceFiles]
    ) -> (path: String, pipeline: String)? {
        sources.flatMap { source in
            source.formats.filter { $0.value == format }.map { (path: $0.key, pipeline: source.pipeline) }
        }.min { $0.path < $1.path }
    }

    private static func readTwice(_ sources: [SourceFiles]) -> [SourceConflict] {
        sources.enumerated().flatMap { index, source in
            sources[(index + 1)...].compactMap { other -> SourceConflict? in
                guard other.table.lowercased() == source.table.lowercased(),
                    let path = source.formats.keys.filter({ other.formats[$0] != nil }).min()
                else { return nil }
                return .readTwice(
                    path: path,
                    table: source.table,
                    pipelines: [source.pipeline, other.pipeline]
                )
            }
        }
    }

    /// What is wrong, naming the files.
    package var message: String {
        switch self {
        case .bothFormats(let csv, let json, let node, let table, let pipelines):
            "\(csv) is csvlog, \(json) is jsonlog, and both are of node \(node): \(names(pipelines)) would bring every record into \(table) twice"
        case .readTwice(let path, let table, let pipelines):
            "\(names(pipelines)) both read \(path) into \(table): every record would be there twice"
        }
    }

    /// How to mend it.
    package var mend: String {
        switch self {
        case .bothFormats(let csv, let json, _, _, _):
            "name files of one format only under source: files, such as \(Self.pattern(csv)) or \(Self.pattern(json)); if they are of two servers, give each its own node:"
        case .readTwice: "take the file out of one of the pipelines, or give them different tables"
        }
    }

    private func names(_ pipelines: [String]) -> String {
        "\(pipelines.count > 1 ? "pipelines" : "pipeline") \(pipelines.joined(separator: " and "))"
    }

    /// The folder of a path with a wildcard for files of its ending.
    private static func pattern(_ path: String) -> String {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/"
        )
        let ending = LogFormat.named(path).map { $0 == .csvlog ? ".csv" : ".json" } ?? ""
        return "\(folder)/*\(ending)"
    }
}

extension PipelineError {
    /// Files of one pipeline that would bring every record into its table twice.
    package init(conflict: SourceConflict) {
        self.init(code: .sourceConflict, message: conflict.message, mend: conflict.mend)
    }
}
