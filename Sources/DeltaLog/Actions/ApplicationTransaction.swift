import JSONText

/// The `txn` action: how far an application has come with its own numbered batches.
///
/// Source: protocol section "Transaction Identifiers".
package struct ApplicationTransaction: Hashable, Sendable {
    /// Identity of the application, a uuid.
    package var appId: String
    /// Number of the last batch in the table.
    package var version: Int64
    /// Time of the commit in milliseconds since 1970.
    package var lastUpdated: Int64?

    package init(appId: String, version: Int64, lastUpdated: Int64? = nil) {
        self.appId = appId
        self.version = version
        self.lastUpdated = lastUpdated
    }
}

extension ApplicationTransaction {
    init(_ reader: inout JSONReader) throws {
        var appId: String?
        var version: Int64?
        var lastUpdated: Int64?
        try reader.object { reader, name in
            switch name {
            case "appId": appId = try reader.string()
            case "version": version = try reader.integer()
            case "lastUpdated": lastUpdated = try reader.optional { try $0.integer() }
            default: try reader.skip()
            }
        }
        self.init(
            appId: try appId.member("appId"),
            version: try version.member("version"),
            lastUpdated: lastUpdated
        )
    }
}

extension JSONWriter {
    mutating func value(_ action: ApplicationTransaction) {
        object { writer in
            writer.member("appId", action.appId)
            writer.member("version", action.version)
            writer.member("lastUpdated", action.lastUpdated)
        }
    }
}
