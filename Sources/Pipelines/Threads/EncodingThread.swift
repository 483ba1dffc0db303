import Columnar
import DeltaLog
import DeltaTables
import ObjectStorage
import ParquetFiles
import Synchronization

/// Where rows of one partition of a table go, and how they are stored.
struct FileTarget: Sendable {
    /// The table's folder in the lake.
    var folder: String
    /// Columns without the partition column.
    var schema: [ColumnField]
    /// Columns that are stored otherwise than by dictionary with statistics.
    var storage: [ColumnStorage]
    /// Name and text of the partition column.
    var partition: (name: String, value: String)
    /// Whether the rows stay in one file whatever else is written, so that their order can be told.
    var isOneFile = false
}

/// A durable data file that no commit names yet.
struct StagedFile: Sendable {
    var add: AddFile
    var rowCount: Int
}

/// Compresses and writes row groups while the next ones are parsed.
final class EncodingThread: Sendable {
    private let queue = BoundedQueue<(target: FileTarget, batch: RecordBatch)>(capacity: 1)
    private let outcome = OutcomeCell()
    private let hasJoined = Mutex(false)
    private let thread: WorkerThread

    /// Starts the thread; `finish` or `cancel` has to be called once.
    ///
    /// - Parameters:
    ///   - store: Where the lake lies.
    ///   - now: Time of the files, in milliseconds since 1970-01-01 UTC.
    init(store: any ObjectStore, now: Int64) {
        let queue = self.queue
        let outcome = self.outcome
        thread = WorkerThread.start(stackByteCount: 8 << 20) {
            var files = OpenFiles(store: store, now: now)
            do {
                while let (target, batch) = queue.pop() { try files.write(batch, to: target) }
                guard !outcome.isCancelled else { throw CancellationError() }
                outcome.succeed(try files.finish())
            } catch {
                queue.close(discarding: true)
                files.abandon()
                outcome.fail(error)
            }
        }
    }

    /// Hands over a row group; waits while two are under way.
    ///
    /// - Throws: What ended the thread.
    func submit(_ batch: RecordBatch, to target: FileTarget) throws {
        guard queue.push((target, batch)) else {
            join()
            throw outcome.failure ?? CancellationError()
        }
    }

    /// Waits until every file is durable.
    ///
    /// - Returns: The files of each table that has rows, by its folder.
    func finish() throws -> [String: [StagedFile]] {
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

/// The files that are being written: one a partition, as long as there are not too many.
private struct OpenFiles {
    /// Files open at once; each holds a descriptor.
    private static let limit = 128

    private struct Key: Hashable {
        var folder: String
        var partition: String
    }

    private struct OpenFile {
        var writer: DataFileWriter
        var schema: [ColumnField]
        /// When it was last written to, counted in row groups.
        var lastUse: Int
        /// Whether it is left open when there are too many.
        var staysOpen: Bool
    }

    let store: any ObjectStore
    let now: Int64
    private var open: [Key: OpenFile] = [:]
    private var done: [String: [StagedFile]] = [:]
    private var useCount = 0

    init(store: any ObjectStore, now: Int64) {
        self.store = store
        self.now = now
    }

    /// Appends a row group to the target's file; a file whose table has grown is ended before.
    mutating func write(_ batch: RecordBatch, to target: FileTarget) throws {
        let key = Key(folder: target.folder, partition: target.partition.value)
        if let file = open[key], file.schema != target.schema { try end(key) }
        if open[key] == nil {
            let closable = open.count >= Self.limit ? open.filter { !$0.value.staysOpen } : [:]
            if let oldest = closable.min(by: { $0.value.lastUse < $1.value.lastUse }) { try end(oldest.key) }
            let writer = try DataFileWriter(
                store: store,
                table: target.folder,
                schema: target.schema,
                storage: target.storage,
                partitionValues: [target.partition]
            )
            open[key] = OpenFile(
                writer: writer,
                schema: target.schema,
                lastUse: 0,
                staysOpen: target.isOneFile
            )
        }
        useCount += 1
        open[key]?.lastUse = useCount
        try open[key]?.writer.write(batch)
    }

    private mutating func end(_ key: Key) throws {
        guard let writer = open[key]?.writer else { return }
        let add = try writer.finish(now: now)
        open[key] = nil
        done[key.folder, default: []].append(StagedFile(add: add, rowCount: writer.rowCount))
    }

    mutating func finish() throws -> [String: [StagedFile]] {
        for key in open.keys.sorted(by: { ($0.folder, $0.partition) < ($1.folder, $1.partition) }) {
            try end(key)
        }
        return done
    }

    /// Removes every file, finished ones too.
    func abandon() {
        for file in open.values { file.writer.abandon() }
        for (folder, files) in done {
            // Invisible to readers: what cannot be removed now is removed by clean-up.
            for file in files { try? store.remove("\(folder)/\(file.add.path.decoded)") }
        }
    }
}

/// What the encoding thread came to.
private final class OutcomeCell: Sendable {
    private struct State: Sendable {
        var failure: (any Error)?
        var files: [String: [StagedFile]] = [:]
        var isCancelled = false
    }

    private let state = Mutex(State())

    var failure: (any Error)? { state.withLock { $0.failure } }
    var files: [String: [StagedFile]] { state.withLock { $0.files } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    func succeed(_ files: [String: [StagedFile]]) { state.withLock { $0.files = files } }
    func fail(_ error: any Error) { state.withLock { $0.failure = error } }
    func cancel() { state.withLock { $0.isCancelled = true } }
}
