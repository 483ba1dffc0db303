import JSONText

/// The `commitInfo` action: where a commit comes from.
///
/// It changes nothing in the table. Source: protocol section "Commit Provenance Information"; writers may
/// store any JSON there, so fields of another type than expected count as missing.
package struct CommitInfo: Hashable, Sendable {
    /// Time of the commit in milliseconds since 1970.
    package var timestamp: Int64?
    /// What was done, such as `WRITE` or `OPTIMIZE`.
    package var operation: String?
    /// How it was done.
    package var operationParameters: [String: JSONValue]
    /// Version the commit was planned at.
    package var readVersion: Int64?
    /// Isolation level, such as `WriteSerializable`.
    package var isolationLevel: String?
    /// Whether the commit adds rows without having read any.
    package var isBlindAppend: Bool?
    /// Counters.
    package var operationMetrics: [String: JSONValue]
    /// Program that wrote the commit.
    package var engineInfo: String?
    /// Identity of the attempt, a uuid: tells whose commit a version is.
    package var txnId: String?

    package init(
        timestamp: Int64?,
        operation: String?,
        operationParameters: [String: JSONValue] = [:],
        readVersion: Int64? = nil,
        isolationLevel: String? = nil,
        isBlindAppend: Bool? = nil,
        operationMetrics: [String: JSONValue] = [:],
        engineInfo: String? = nil,
        txnId: String?
    ) {
        self.timestamp = timestamp
        self.operation = operation
        self.operationParameters = operationParameters
        self.readVersion = readVersion
        self.isolationLevel = isolationLevel
        self.isBlindAppend = isBlindAppend
        self.operationMetrics = operationMetrics
        self.engineInfo = engineInfo
        self.txnId = txnId
    }
}

extension CommitInfo {
    init(_ reader: inout JSONReader) throws {
        let members = try reader.value().object ?? [:]
        self.init(
            timestamp: members["timestamp"]?.integer,
            operation: members["operation"]?.string,
            operationParameters: members["operationParameters"]?.object ?? [:],
            readVersion: members["readVersion"]?.integer,
            isolationLevel: members["isolationLevel"]?.string,
            isBlindAppend: members["isBlindAppend"]?.boolean,
            operationMetrics: members["operationMetrics"]?.object ?? [:],
            engineInfo: members["engineInfo"]?.string,
            txnId: members["txnId"]?.string
        )
    }
}

extension JSONWriter {
    mutating func value(_ action: CommitInfo) {
        object { writer in
            writer.member("timestamp", action.timestamp)
            writer.member("operation", action.operation)
            writer.key("operationParameters")
            writer.value(action.operationParameters)
            writer.member("readVersion", action.readVersion)
            writer.member("isolationLevel", action.isolationLevel)
            writer.member("isBlindAppend", action.isBlindAppend)
            if !action.operationMetrics.isEmpty {
                writer.key("operationMetrics")
                writer.value(action.operationMetrics)
            }
            writer.member("engineInfo", action.engineInfo)
            writer.member("txnId", action.txnId)
        }
    }
}
