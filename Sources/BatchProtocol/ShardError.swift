/// Plans, receipts and tables that contradict each other: nothing is written until a person has looked.
package struct ShardError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What contradicts what.
    package enum Code: String, Hashable, Sendable {
        /// A table lost the `txn` that receipts prove.
        case missingTransaction
        /// A table's `txn` is neither that of the last receipt nor that of the open batch.
        case transactionMismatch
        /// A receipt has no plan, or plans go on without a receipt.
        case brokenSequence
        /// A part of the open batch was written under other rules than this release has.
        case parserVersion
        /// The plan or receipt was written by a newer release.
        case newerFormat
        /// The table was dropped and made again.
        case tableReplaced
    }

    /// The kind of contradiction.
    package var code: Code
    /// The batch.
    package var batch: UInt64
    /// The facts, for people.
    package var detail: String

    /// Creates an error.
    package init(code: Code, batch: UInt64, detail: String) {
        self.code = code
        self.batch = batch
        self.detail = detail
    }

    /// What is wrong.
    package var description: String { "batch \(batch): \(detail)" }

    /// What a person can do.
    package var mend: String {
        switch code {
        case .missingTransaction, .transactionMismatch, .tableReplaced:
            "the table was restored, replaced or written by hand: bring it back, or start the pipeline anew under another table name"
        case .brokenSequence: "files under _auditlake were removed or restored: bring them back from a backup"
        case .parserVersion: "finish this batch with the release that began it, then upgrade"
        case .newerFormat: "use the newer release of auditlake that wrote it"
        }
    }
}
