import FoundationEssentials
import Yams

extension LakeConfiguration {
    /// Reads, checks and resolves a configuration file.
    ///
    /// - Parameters:
    ///   - path: The file; its folder is where relative paths count from.
    ///   - environment: The variables that `${NAME}` can take.
    /// - Returns: The configuration; nothing of the environment is looked at later.
    /// - Throws: ``InvalidConfiguration`` with every fault of the file; no message holds a variable's value.
    package static func load(
        path: String,
        environment: [String: String]
    ) throws(InvalidConfiguration) -> LakeConfiguration {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw fileFault(.unreadableFile, path, "cannot be read", mend: "write one with: auditlake init")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw fileFault(.unreadableFile, path, "is not UTF-8 text", mend: "save the file as UTF-8")
        }
        return try parse(text, path: path, environment: environment)
    }

    /// The same as ``load(path:environment:)`` for a text that is not, or not yet, in the file `path`.
    package static func parse(
        _ text: String,
        path: String,
        environment: [String: String]
    ) throws(InvalidConfiguration) -> LakeConfiguration {
        let expander = VariableExpander(environment: environment, folder: FilePath.folder(ofFile: path))
        let context = ReadingContext(path: path, expander: expander)
        let configuration = LakeConfiguration(try root(of: text, path: path), context: context)
        guard let configuration, context.faults.isEmpty else { throw InvalidConfiguration(context.faults) }
        return configuration
    }

    /// Parses the text; an empty file is an empty mapping.
    private static func root(of text: String, path: String) throws(InvalidConfiguration) -> Node {
        do {
            return try Yams.compose(yaml: text) ?? Node([(Node, Node)]())
        } catch {
            throw InvalidConfiguration([ConfigurationFault(syntax: error, path: path)])
        }
    }

    private static func fileFault(
        _ code: ConfigurationFault.Code,
        _ path: String,
        _ message: String,
        mend: String
    ) -> InvalidConfiguration {
        InvalidConfiguration([
            ConfigurationFault(code: code, path: path, message: "the configuration \(message)", mend: mend)
        ])
    }
}

extension LakeConfiguration {
    /// The file's sections whose features this release does not have.
    private static let unreleasedSections = ["jobs"]

    /// The file's keys.
    private static let keys =
        ["lake", "catalog", "pipelines", "warehouses", "object_stores", "spool", "limits"]
        + unreleasedSections

    fileprivate init?(_ root: Node, context: ReadingContext) {
        guard let section = Section(root, name: "", keys: Self.keys, context: context) else { return nil }
        section.refuseUnreleased(Self.unreleasedSections)
        let lake = section.lakeLocation("lake")
        self.catalog = section.catalog("catalog")
        self.warehouses = section.warehouses("warehouses")
        self.pipelines = section.pipelines("pipelines")
        self.objectStores = section.objectStores("object_stores")
        self.spool = section.spool("spool")
        self.standardSpoolFolder = section.standardSpoolFolder
        self.limits = section.limits("limits")
        guard let lake else { return nil }
        self.lake = lake
    }
}

extension ConfigurationFault {
    /// A parser's error without its excerpt of the file, in which a password may stand.
    fileprivate init(syntax error: any Error, path: String) {
        self.init(
            code: .syntax,
            path: path,
            message: "the file is not YAML",
            mend: "check indentation and quotes"
        )
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (line, column) = (mark.line, mark.column)
            message += ": \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            (line, column) = (context.mark.line, context.mark.column)
            message = "a mapping has the key “\(duplicates.joined(separator: "”, “"))” twice"
            mend = "keep one of them"
        case .reader(let problem, _, _, _):
            message += ": \(problem)"
        default:
            break
        }
    }
}
