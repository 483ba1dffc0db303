/// Which table of the lake goes where.
package struct LoadTask: Hashable, Sendable {
    /// The pipeline that feeds the table, for messages.
    package var pipeline: String
    /// The table's three-level name.
    package var lakeTable: String
    /// The table of the warehouse that receives the rows.
    package var target: TargetName
    /// Columns of the lake that tell rows apart; empty where rows are only added.
    ///
    /// A row takes the place of an older one with the same values in them.
    package var key: [String]

    /// Names them.
    package init(pipeline: String, lakeTable: String, target: TargetName, key: [String]) {
        self.pipeline = pipeline
        self.lakeTable = lakeTable
        self.target = target
        self.key = key
    }

    /// The command that makes the target anew.
    var rebuildCommand: String { "auditlake load \(pipeline) --full" }
}

/// A stage of a load, for tests that want to kill the process or the server in it.
package enum LoadStage: UInt8, Hashable, Sendable, CaseIterable {
    /// A transaction has begun and holds the target's lock.
    case begun = 0x62
    /// The rows of a file are about to be sent.
    case copy = 0x79
    /// All rows are sent; the cursor is about to be written.
    case cursor = 0x75
    /// The transaction is about to be committed.
    case commit = 0x6D
    /// It is committed.
    case committed = 0x65
}

/// What a load did.
package struct LoadReport: Hashable, Sendable {
    /// Batches that came into the target.
    package var batches = 0
    /// Rows that were loaded; those that took the place of others included.
    package var rows = 0
    /// Files that were read.
    package var files = 0
    /// Transactions.
    package var transactions = 0
    /// Connections and transactions that failed and were tried again.
    package var retries = 0
    /// NUL characters that the warehouse cannot hold, replaced by U+FFFD.
    package var replacedNULs = 0
    /// Texts that were too long for the warehouse and were cut.
    package var cutTexts = 0
    /// The version of the lake's table that the target is at.
    package var version: Int64 = -1

    /// Nothing was done yet.
    package init() {}

    mutating func add(_ step: LoadStep) {
        batches += step.batchCount
        rows += step.rows
        files += step.files.count
        transactions += 1
        replacedNULs += step.replacedNULs
        cutTexts += step.cutTexts
        version = step.position.version
    }
}
