import DeltaLog
import DeltaTables

/// A file whose rows go into the target.
struct LoadFile: Hashable, Sendable {
    /// The file, as the lake's log has it.
    var file: AddFile
    /// The uuid of the shard that it came from; empty when no batch brought it.
    var shard: String
    /// The batch.
    var batch: UInt64
}

/// What one transaction brings into the target.
struct LoadStep: Hashable, Sendable {
    /// The files, in the order of their commits.
    var files: [LoadFile] = []
    /// How far the target is afterwards.
    var position: TargetPosition
    /// Batches with rows.
    var batchCount = 0
    /// Rows that were read from the files.
    var rows = 0
    /// NUL characters that were replaced.
    var replacedNULs = 0
    /// Texts that were cut.
    var cutTexts = 0
}

/// Goes through the log of a table of the lake, from where a target is.
///
/// The log has the batches of every shard in their order, each with the shard's uuid and the batch's number, so that it says
/// what is next without plans and receipts, which may have been compacted.
struct ChangeWalk {
    /// The most bytes of files that one transaction takes, unless one commit alone has more.
    static let byteLimit: Int64 = 256_000_000
    /// The most commits.
    static let commitLimit = 100

    let table: DeltaTable
    let task: LoadTask

    /// What the next transaction has to bring; nil when the target has all.
    ///
    /// - Parameter position: How far the target is.
    /// - Returns: One or several whole commits.
    /// - Throws: `WarehouseError` with `outOfStep` when the target cannot be brought forward; `StorageError`, `DeltaLogError`.
    func next(after position: TargetPosition) throws -> LoadStep? {
        let identity = table.head.metadata.id
        guard position.table.isEmpty || position.table == identity else {
            throw outOfStep(
                "\(task.target) holds the rows of another table (\(position.table)) than \(task.lakeTable)"
            )
        }
        guard position.version <= table.head.version else {
            throw outOfStep(
                "\(task.target) is at version \(position.version) of \(task.lakeTable), which has \(table.head.version) only: the lake is older than the target"
            )
        }
        var step = LoadStep(position: position)
        step.position.table = identity
        var byteCount: Int64 = 0
        while step.position.version < table.head.version, step.batchCount < Self.commitLimit {
            let change = try change(at: step.position.version + 1)
            let size = change.added.reduce(0) { $0 + $1.size }
            if !step.files.isEmpty, byteCount + size > Self.byteLimit { break }
            byteCount += size
            take(change, into: &step)
        }
        return step.files.isEmpty ? nil : step
    }

    private func change(at version: Int64) throws -> TableChange {
        guard let change = try table.change(at: version) else {
            throw outOfStep(
                "\(task.target) needs version \(version) of \(task.lakeTable), which its log does not hold any more"
            )
        }
        guard !change.removesRows else {
            throw outOfStep(
                "version \(version) of \(task.lakeTable) changed rows that were there before, as a replay does"
            )
        }
        return change
    }

    private func take(_ change: TableChange, into step: inout LoadStep) {
        step.position.version = change.version
        guard !change.added.isEmpty else { return }
        let (shard, batch) = change.batch ?? ("", UInt64(change.version))
        // A batch is in the table once; should its number come again, its rows are there.
        guard shard.isEmpty || batch > step.position.batches[shard] ?? 0 else { return }
        step.position.batches[shard] = batch
        step.batchCount += 1
        step.files += change.added.map { LoadFile(file: $0, shard: shard, batch: batch) }
    }

    /// All rows of the table's present version.
    func whole() throws -> LoadStep {
        let snapshot = try table.snapshot()
        var step = LoadStep(position: TargetPosition())
        step.position.table = table.head.metadata.id
        step.position.version = snapshot.version
        for (shard, transaction) in snapshot.head.transactions {
            step.position.batches[shard] = UInt64(clamping: transaction.version)
        }
        if step.position.batches.isEmpty { step.position.batches[""] = UInt64(clamping: snapshot.version) }
        step.files = snapshot.files.values
            .sorted { ($0.modificationTime, $0.path.encoded) < ($1.modificationTime, $1.path.encoded) }
            .map { LoadFile(file: $0, shard: "", batch: 0) }
        step.batchCount = step.position.batches.count
        return step
    }

    func outOfStep(_ message: String) -> WarehouseError {
        WarehouseError(
            .outOfStep,
            "\(message); nothing was loaded",
            mend: "build the target anew from the lake's live rows: \(task.rebuildCommand)"
        )
    }

    /// What an error of reading a file means: one that is gone cannot be waited for.
    func explained(_ error: any Error, of file: LoadFile) -> any Error {
        if error is WarehouseError { return error }
        guard (try? table.holds(file.file.path)) == false else { return error }
        return outOfStep("the file \(table.path(of: file.file.path)) is gone")
    }
}
