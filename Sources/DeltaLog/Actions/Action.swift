import JSONText

/// One change to the state of a table: a line of a commit file, or a row of a checkpoint.
///
/// Source: protocol section "Actions". Actions of other kinds (`cdc`, `domainMetadata`, …) are never needed
/// by a reader of version 1 and are skipped when a log is read.
package enum Action: Hashable, Sendable {
    /// Where the commit comes from.
    case commitInfo(CommitInfo)
    /// What clients must know.
    case `protocol`(TableProtocol)
    /// Schema and properties.
    case metaData(TableMetadata)
    /// Progress of an application.
    case txn(ApplicationTransaction)
    /// A file that joins the table.
    case add(AddFile)
    /// A file that leaves the table.
    case remove(RemoveFile)

    /// Place among the actions of a commit; file actions keep their order.
    var rank: Int {
        switch self {
        case .commitInfo: 0
        case .protocol: 1
        case .metaData: 2
        case .txn: 3
        case .add, .remove: 4
        }
    }
}

extension Action {
    /// Reads one line of a commit file: its first member that is of a known kind and not null.
    ///
    /// - Parameters:
    ///   - reader: Stands before the object.
    ///   - content: Which kinds are read; the others are passed over.
    /// - Returns: nil for a line without such a member.
    /// - Throws: `JSONReader.Failure`, or `DeltaLogError` with `malformedPath`.
    static func read(_ reader: inout JSONReader, content: Commit.Content) throws -> Action? {
        var action: Action?
        try reader.object { reader, kind in
            // Checkpoint rows turned to JSON hold null for every other kind.
            guard action == nil, content.isRead(kind), !reader.null() else { return try reader.skip() }
            switch kind {
            case "commitInfo": action = .commitInfo(try CommitInfo(&reader))
            case "protocol": action = .protocol(try TableProtocol(&reader))
            case "metaData": action = .metaData(try TableMetadata(&reader))
            case "txn": action = .txn(try ApplicationTransaction(&reader))
            case "add": action = .add(try AddFile(&reader))
            case "remove": action = .remove(try RemoveFile(&reader))
            default: try reader.skip()
            }
        }
        return action
    }
}

extension JSONWriter {
    /// Writes the object that makes one line of a commit file.
    mutating func value(_ action: Action) {
        object { writer in
            switch action {
            case .commitInfo(let info):
                writer.key("commitInfo")
                writer.value(info)
            case .protocol(let table):
                writer.key("protocol")
                writer.value(table)
            case .metaData(let metadata):
                writer.key("metaData")
                writer.value(metadata)
            case .txn(let transaction):
                writer.key("txn")
                writer.value(transaction)
            case .add(let file):
                writer.key("add")
                writer.value(file)
            case .remove(let file):
                writer.key("remove")
                writer.value(file)
            }
        }
    }
}
