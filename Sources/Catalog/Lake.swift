import DeltaLog
import DeltaTables
import FoundationEssentials
import JSONText
import ObjectStorage

/// A lake: its format, its names, its tables.
package struct Lake: Sendable {
    /// The lake format that this release writes; a newer one is refused.
    package static let currentFormat = 1
    /// The schema of the lake's own tables, and the folder of its plans and claims.
    package static let reservedName = "_auditlake"

    /// Where the lake lies.
    package let store: any ObjectStore
    /// Asked before a lake is begun where none is; throws when there must have been one.
    package var demandNew: @Sendable () throws -> Void = {}

    /// Names the lake in a store; nothing is read.
    package init(store: any ObjectStore) { self.store = store }

    private struct Format: Encodable {
        var format: Int

        init(format: Int) { self.format = format }

        init(_ bytes: [UInt8]) throws {
            let members = try JSONReader.read(bytes) { try $0.members { try $0.value() } }
            format = Int(try members["format"].member("format").integer.member("format"))
        }
    }

    private struct Claim: Encodable {
        var name: String
        var folder: String

        init(name: String, folder: String) {
            self.name = name
            self.folder = folder
        }

        init(_ bytes: [UInt8]) throws {
            let members = try JSONReader.read(bytes) { try $0.members { try $0.string() } }
            name = try members["name"].member("name")
            folder = try members["folder"].member("folder")
        }
    }

    /// What a lake refuses.
    package struct LakeError: Error, Hashable, Sendable, CustomStringConvertible {
        /// Why.
        package enum Code: String, Hashable, Sendable {
            /// A newer release wrote the lake.
            case newerFormat
            /// A file of the lake's own cannot be read.
            case damaged
            /// Another table has this name but for case.
            case nameTaken
        }

        /// Why.
        package var code: Code
        /// What was found.
        package var description: String
        /// What a person can do.
        package var mend: String
    }

    /// Makes sure that this release knows the lake's format; a new lake gets the present one.
    package func open() throws {
        let key = "\(Self.reservedName)/format.json"
        if let bytes = try store.read(key) { return try check(bytes, key: key) }
        try demandNew()
        let bytes = Array(try JSONEncoder().encode(Format(format: Self.currentFormat)))
        if try !store.putIfAbsent(key, bytes), let winner = try store.read(key) {
            try check(winner, key: key)
        }
    }

    /// Makes sure that this release knows the lake's format, without writing.
    ///
    /// - Returns: Whether there is a lake at all.
    package func openForReading() throws -> Bool {
        let key = "\(Self.reservedName)/format.json"
        guard let bytes = try store.read(key) else { return false }
        try check(bytes, key: key)
        return true
    }

    private func check(_ bytes: [UInt8], key: String) throws {
        guard let format = try? Format(bytes) else {
            throw LakeError(
                code: .damaged,
                description: "\(store.path(key)) is not readable as a lake format",
                mend: "restore it, or write {\"format\":\(Self.currentFormat)} if this release made the lake"
            )
        }
        guard format.format <= Self.currentFormat else {
            throw LakeError(
                code: .newerFormat,
                description:
                    "the lake \(store.root) has format \(format.format); this release knows \(Self.currentFormat)",
                mend: "use the newer release of auditlake that wrote it"
            )
        }
    }

    private func claimKey(_ name: TableName) -> String {
        "\(Self.reservedName)/names/\(name.description.lowercased())"
    }

    /// Whether this lake has claimed a table's name for its folder.
    ///
    /// - Throws: `LakeError` with `nameTaken` when a table of another spelling has it; `StorageError`.
    package func hasClaimed(_ name: TableName) throws -> Bool {
        guard let bytes = try store.read(claimKey(name)) else { return false }
        try check(claim: bytes, of: name)
        return true
    }

    /// Claims a table's name for its folder, without regard to case, for good.
    ///
    /// - Returns: Whether nobody had claimed it before, so that no table of the lake can have it yet.
    /// - Throws: `LakeError` with `nameTaken` when a table of another spelling has it; `StorageError`.
    @discardableResult
    package func claim(_ name: TableName) throws -> Bool {
        if try hasClaimed(name) { return false }
        let claim = Claim(name: name.description, folder: name.folder)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if try store.putIfAbsent(claimKey(name), Array(try encoder.encode(claim))) { return true }
        return try !hasClaimed(name)
    }

    private func check(claim bytes: [UInt8], of name: TableName) throws {
        let key = claimKey(name)
        guard let owner = try? Claim(bytes) else {
            throw LakeError(
                code: .damaged,
                description: "the name claim \(store.path(key)) cannot be read",
                mend: "restore it from a backup"
            )
        }
        // Who linked it may have been killed before it was durable.
        try store.makeDurable(key)
        guard owner.name == name.description else {
            throw LakeError(
                code: .nameTaken,
                description: "the table \(owner.name) has the name \(name) but for case",
                mend: "write the table's name as \(owner.name), or choose another"
            )
        }
    }

    /// Every table of the lake, by name.
    package func tables() throws -> [TableName] {
        var names: [TableName] = []
        for catalog in try folders("") where catalog != Self.reservedName {
            for schema in try folders(catalog) {
                for table in try folders("\(catalog)/\(schema)") {
                    let name = TableName(catalog: catalog, schema: schema, table: table)
                    if try store.hasFolder("\(name.folder)/_delta_log") { names.append(name) }
                }
            }
        }
        return names.sorted()
    }

    private func folders(_ key: String) throws -> [String] {
        try store.list(key).filter { $0.isFolder && !$0.name.hasPrefix(".") }.map(\.name)
    }

    /// Opens a table; nil when there is none.
    ///
    /// - Parameters:
    ///   - name: The table.
    ///   - hint: What its head was some time ago; saves the replay of its log.
    /// - Returns: The table at its newest version.
    /// - Throws: `LakeError` with `damaged` when its log cannot be read by this release; `StorageError`.
    package func table(_ name: TableName, hint: TableHint? = nil) throws -> DeltaTable? {
        do {
            if let hint, let table = try DeltaTable.open(store: store, folder: name.folder, hint: hint) {
                return table
            }
            return try DeltaTable.open(store: store, folder: name.folder)
        } catch let error as StorageError {
            throw error
        } catch {
            throw LakeError(
                code: .damaged,
                description:
                    "the log of table \(name) in \(store.path(name.folder)) cannot be used: \(error)",
                mend: "restore its _delta_log from a backup, or use another table name"
            )
        }
    }
}
