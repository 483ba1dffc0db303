import Yams

/// A place in the configuration file.
struct SourcePosition: Hashable {
    /// Line, from 1.
    var line: Int
    /// Column, from 1, in Unicode scalars.
    var column: Int

    /// The place where a node begins; the file's first character for a node that was not parsed.
    init(_ node: Node) {
        self.line = node.mark?.line ?? 1
        self.column = node.mark?.column ?? 1
    }
}

/// What all sections of one file share while it is read: the variables, and the faults found so far.
final class ReadingContext {
    /// The file, as the caller named it.
    let path: String
    /// Replaces variables; knows the folder of the file.
    let expander: VariableExpander
    /// Everything that was found wrong, in the order of reading.
    private(set) var faults: [ConfigurationFault] = []
    /// The pipelines that fill a schema alone, by the schema's name in lower case.
    private var schemas: [String: String] = [:]
    /// The pipelines that take from a queue, by its URL.
    private var queues: [String: String] = [:]

    /// The warehouses of the file, by name; read before the pipelines that load into them.
    var warehouses: [String] = []
    /// What is loaded into a target, by warehouse and table.
    private var targets: [String: String] = [:]

    init(path: String, expander: VariableExpander) {
        self.path = path
        self.expander = expander
    }

    /// Notes a fault; reading goes on, so that one run shows all of them.
    func report(_ code: ConfigurationFault.Code, at position: SourcePosition, _ message: String, mend: String)
    {
        faults.append(
            ConfigurationFault(
                code: code,
                path: path,
                line: position.line,
                column: position.column,
                message: message,
                mend: mend
            )
        )
    }

    /// Keeps a schema, in lower case, for one pipeline.
    ///
    /// - Returns: The other pipeline that has it already; nil when there is none.
    func claim(schema: String, for pipeline: String) -> String? {
        if let other = schemas[schema] { return other }
        schemas[schema] = pipeline
        return nil
    }

    /// Keeps a queue, by its URL, for one pipeline.
    ///
    /// - Returns: The other pipeline that has it already; nil when there is none.
    func claim(queue: String, for pipeline: String) -> String? {
        if let other = queues[queue] { return other }
        queues[queue] = pipeline
        return nil
    }

    /// Keeps a target of a warehouse for one table of the lake.
    ///
    /// - Returns: The other table that is loaded into it; nil when there is none.
    func claim(target: String, for table: String) -> String? {
        if let other = targets[target] { return other == table ? nil : other }
        targets[target] = table
        return nil
    }

    /// The pipeline that fills a schema, in lower case, alone; nil when none does.
    func owner(ofSchema schema: String) -> String? { schemas[schema] }

    /// The text of a scalar with its variables replaced.
    ///
    /// - Returns: nil, and a fault, for a list, a mapping or a missing variable.
    func text(_ node: Node, of name: String) -> Setting<String>? {
        guard case .scalar(let scalar) = node else {
            let kind = node.sequence == nil ? "a mapping" : "a list"
            report(.wrongType, at: SourcePosition(node), "\(name) is \(kind)", mend: "write one text here")
            return nil
        }
        do {
            return try expander.expand(scalar.string)
        } catch {
            report(
                .unresolvedVariable,
                at: SourcePosition(node),
                "\(name): \(error.message)",
                mend: error.mend
            )
            return nil
        }
    }
}

extension Node {
    /// Whether the file leaves the value out: nothing after the colon, `~` or `null`, without quotes.
    var isLeftOut: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}
