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

/// One line of a commit file; nil stands for an action of another kind.
struct ActionLine: Decodable {
    let action: Action?

    private enum Key: String, CodingKey {
        case commitInfo
        case `protocol`
        case metaData
        case txn
        case add
        case remove
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        // Checkpoint rows turned to JSON hold null for every other kind.
        guard let key = try container.allKeys.first(where: { try !container.decodeNil(forKey: $0) }) else {
            action = nil
            return
        }
        action =
            switch key {
            case .commitInfo: .commitInfo(try container.decode(CommitInfo.self, forKey: key))
            case .protocol: .protocol(try container.decode(TableProtocol.self, forKey: key))
            case .metaData: .metaData(try container.decode(TableMetadata.self, forKey: key))
            case .txn: .txn(try container.decode(ApplicationTransaction.self, forKey: key))
            case .add: .add(try container.decode(AddFile.self, forKey: key))
            case .remove: .remove(try container.decode(RemoveFile.self, forKey: key))
            }
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
