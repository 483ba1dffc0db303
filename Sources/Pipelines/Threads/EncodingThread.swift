import Columnar
import DeltaLog
import DeltaTables
import ObjectStorage
import ParquetFiles
import Synchronization

/// How the rows of one table become data files.
package struct TableEncoding: Sendable {
    /// Where the lake lies.
    package var store: LocalStore
    /// The table's folder in the lake.
    package var folder: String
    /// Columns without the partition columns.
    package var schema: [ColumnField]
    /// Columns that are stored otherwise than by dictionary with statistics.
    package var storage: [ColumnStorage]
    /// Name and text of each partition column.
    package var partitionValues: [(name: String, value: String)]
}

/// A durable data file that no commit names yet.
struct StagedFile: Sendable {
    var add: AddFile
    var rowCount: Int
}

/// Compresses and writes row groups while the next ones are parsed.
final class EncodingThread: Sendable {
    private let queue = BoundedQueue<(table: Int, batch: RecordBatch)>(capacity: 1)
    private let outcome = OutcomeCell()
    private let hasJoined = Mutex(false)
    private let thread: WorkerThread

    /// Starts the thread; `finish` or `cancel` has to be called once.
    ///
    /// - Parameters:
    ///   - tables: The batch group.
    ///   - now: Time of the files, in milliseconds since 1970-01-01 UTC.
    init(tables: [TableEncoding], now: Int64) {
        let queue = self.queue
        let outcome = self.outcome
        thread = WorkerThread.start(stackByteCount: 8 << 20) {
            var writers: [Int: DataFileWriter] = [:]
            do {
                while let (table, batch) = queue.pop() {
                    let writer = try writers[table] ?? tables[table].makeWriter()
                    writers[table] = writer
                    try writer.write(batch)
                }
                guard !outcome.isCancelled else { throw CancellationError() }
                var files: [Int: StagedFile] = [:]
                for (table, writer) in writers {
                    files[table] = StagedFile(add: try writer.finish(now: now), rowCount: writer.rowCount)
                }
                outcome.succeed(files)
            } catch {
                queue.close(discarding: true)
                for writer in writers.values { writer.abandon() }
                outcome.fail(error)
            }
        }
    }

    /// Hands over a row group; waits while two are under way.
    ///
    /// - Throws: What ended the thread.
    func submit(table: Int, _ batch: RecordBatch) throws {
        guard queue.push((table, batch)) else {
            join()
            throw outcome.failure ?? CancellationError()
        }
    }

    /// Waits until every file is durable.
    ///
    /// - Returns: One file a table that has rows.
    func finish() throws -> [Int: StagedFile] {
        queue.close()
        join()
        if let failure = outcome.failure { throw failure }
        return outcome.files
    }

    /// Ends the thread and removes its files.
    func cancel() {
        outcome.cancel()
        queue.close(discarding: true)
        join()
    }

    /// Waits for the thread, once.
    private func join() {
        let isFirst = hasJoined.withLock { joined in
            defer { joined = true }
            return !joined
        }
        if isFirst { thread.join() }
    }
}

/// What the encoding thread came to.
private final class OutcomeCell: Sendable {
    private struct State: Sendable {
        var failure: (any Error)?
        var files: [Int: StagedFile] = [:]
        var isCancelled = false
    }

    private let state = Mutex(State())

    var failure: (any Error)? { state.withLock { $0.failure } }
    var files: [Int: StagedFile] { state.withLock { $0.files } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    func succeed(_ files: [Int: StagedFile]) { state.withLock { $0.files = files } }
    func fail(_ error: any Error) { state.withLock { $0.failure = error } }
    func cancel() { state.withLock { $0.isCancelled = true } }
}

extension TableEncoding {
    fileprivate func makeWriter() throws -> DataFileWriter {
        try DataFileWriter(
            store: store,
            table: folder,
            schema: schema,
            storage: storage,
            partitionValues: partitionValues
        )
    }
}
