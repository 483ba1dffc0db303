import BatchProtocol
import Catalog
import DeltaLog
import DeltaTables
import FoundationEssentials
import ObjectStorage

/// Reads and writes the objects of one shard: identity, plans, receipts, state snapshots and the hint at the newest.
struct ShardStore {
    let store: any ObjectStore
    let path: ShardPath

    private struct Identity: Codable {
        var format: Int
        var appID: String
        var pipeline: String
    }

    /// What every release can read of an object.
    private struct Format: Codable {
        var format: Int
    }

    private struct Head: Codable {
        var batch: UInt64
    }

    /// What is known of a shard when it is opened.
    struct Opening {
        var plan: BatchPlan?
        var receipt: BatchReceipt?
        var state: ShardState
        var stateSnapshot: UInt64

        /// Every table that the shard has fed, or is about to feed with its first batch, by name.
        var fedTables: [String] { receipt?.tables.map(\.name) ?? plan?.tables.map(\.name) ?? [] }
    }

    private func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    func read<Value: Decodable>(_ type: Value.Type, _ key: String) throws -> Value? {
        guard let bytes = try store.read(key) else { return nil }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            if let format = try? JSONDecoder().decode(Format.self, from: Data(bytes)).format,
                format > BatchPlan.currentFormat
            {
                throw PipelineError(
                    code: .damagedState,
                    message:
                        "\(store.path(key)) has format \(format); this release knows \(BatchPlan.currentFormat)",
                    mend: "use the newer release of auditlake that wrote it"
                )
            }
            throw PipelineError(
                code: .damagedState,
                message: "\(store.path(key)) is damaged or incomplete",
                mend: "restore it from a backup"
            )
        }
    }

    /// The shard's uuid, made with its first object.
    func appID(pipeline: String) throws -> String {
        if let identity = try read(Identity.self, path.identity) { return identity.appID }
        let identity = Identity(format: BatchPlan.currentFormat, appID: RandomName.uuid(), pipeline: pipeline)
        if try store.putIfAbsent(path.identity, try encode(identity)) { return identity.appID }
        guard let winner = try read(Identity.self, path.identity) else {
            throw PipelineError(
                code: .damagedState,
                message: "\(store.path(path.identity)) is gone",
                mend: "run again"
            )
        }
        return winner.appID
    }

    /// The pipeline of every shard of the lake, by the shard's uuid.
    func allOwners() throws -> [String: String] {
        var found: [String: String] = [:]
        for pipeline in try store.list(Lake.reservedName) where pipeline.isFolder {
            for shard in try store.list("\(Lake.reservedName)/\(pipeline.name)") where shard.isFolder {
                let key = "\(Lake.reservedName)/\(pipeline.name)/\(shard.name)/shard.json"
                if let identity = try read(Identity.self, key) { found[identity.appID] = pipeline.name }
            }
        }
        return found
    }

    /// The newest plan and receipt, and how far the sources were read with the receipt.
    ///
    /// - Parameter isReading: Nothing will follow from what is found, so nothing is made durable.
    /// - Returns: What is known of the shard; nothing of one that does not exist.
    /// - Throws: `StorageError`, `ShardError`, `PipelineError`.
    /// - Complexity: O(batches since the hint was written) and up to 64 plans for the state.
    func open(isReading: Bool = false) throws -> Opening {
        var batch = try startingPoint()
        while try store.exists(path.receipt(batch + 1)) { batch += 1 }
        let receipt = batch == 0 ? nil : try read(BatchReceipt.self, path.receipt(batch))
        let open = try read(BatchPlan.self, path.plan(batch + 1))
        let last = batch == 0 ? nil : try read(BatchPlan.self, path.plan(batch))
        guard batch == 0 || last != nil else {
            throw ShardError(
                code: .brokenSequence,
                batch: batch,
                detail: "\(store.path(path.plan(batch))) is missing"
            )
        }
        // What a killed process linked may not be durable yet; all that follows rests on it.
        if !isReading, open != nil || last != nil { try store.makeDurable(path.plan(batch + 1)) }
        if !isReading, receipt != nil { try store.makeDurable(path.receipt(batch)) }
        let (state, snapshot) = try state(after: batch, lastPlan: last)
        return Opening(plan: open ?? last, receipt: receipt, state: state, stateSnapshot: snapshot)
    }

    /// A batch with a receipt, near the newest.
    private func startingPoint() throws -> UInt64 {
        if let head = try? read(Head.self, path.head), try store.exists(path.receipt(head.batch)) {
            return head.batch
        }
        let numbers = try store.list(path.receipts).compactMap { UInt64($0.name.prefix { $0 != "." }) }
        return numbers.max() ?? 0
    }

    private func state(after batch: UInt64, lastPlan: BatchPlan?) throws -> (ShardState, UInt64) {
        guard let lastPlan else { return (ShardState(), 0) }
        var snapshot = lastPlan.stateSnapshot
        if ShardPath.hasState(batch, isSmall: true), try store.exists(path.state(batch)) { snapshot = batch }
        var state = ShardState()
        if snapshot != 0 {
            // Without its snapshot the state comes from all plans; begun empty it would forget files and read them again.
            if let stored = try read(ShardState.self, path.state(snapshot)) {
                state = stored
            } else {
                snapshot = 0
            }
        }
        var next = snapshot + 1
        while next <= batch {
            guard let plan = try next == batch ? lastPlan : read(BatchPlan.self, path.plan(next)) else {
                throw ShardError(
                    code: .brokenSequence,
                    batch: next,
                    detail: "\(store.path(path.plan(next))) is missing"
                )
            }
            state.apply(plan)
            next += 1
        }
        return (state, snapshot)
    }

    /// Whether a batch behind another one has its receipt.
    func hasReceipt(after batch: UInt64) throws -> Bool {
        if try store.exists(path.receipt(batch + 1)) { return true }
        // The next one may have been compacted while nobody looked.
        return try read(Head.self, path.head)?.batch ?? 0 > batch
    }

    /// Makes sure that a batch which had its receipt still has it: a lake that was emptied meanwhile, or another one in its
    /// place, is not to be gone on with.
    ///
    /// - Throws: `StorageError` with code `notFound` when it has not; a run that follows takes the lake as down.
    func demandReceipt(_ batch: UInt64) throws {
        guard try !store.exists(path.receipt(batch)) else { return }
        var error = StorageError(code: .notFound, operation: "read", path: store.path(path.receipt(batch)))
        error.detail = "batch \(batch) went into this lake, and is not there any more"
        error.advice = "bring the lake back: somebody has emptied it, or another one stands in its place"
        throw error
    }

    /// A stored plan, nil when there is none.
    func plan(_ batch: UInt64) throws -> BatchPlan? { try read(BatchPlan.self, path.plan(batch)) }

    /// Stores a plan unless its number is taken; returns whether it was free.
    func put(_ plan: BatchPlan) throws -> Bool {
        try store.putIfAbsent(path.plan(plan.batch), try encode(plan))
    }

    /// Stores a receipt unless there is one; returns the one that is there then.
    func put(_ receipt: BatchReceipt) throws -> BatchReceipt {
        if try store.putIfAbsent(path.receipt(receipt.batch), try encode(receipt)) { return receipt }
        return try read(BatchReceipt.self, path.receipt(receipt.batch)) ?? receipt
    }

    /// Stores the state after a batch.
    func put(_ state: ShardState, after batch: UInt64) throws {
        _ = try store.putIfAbsent(path.state(batch), try encode(state))
    }

    /// The last batch that a system table has; a hint, 0 when there is none.
    func hint(of table: String) throws -> UInt64 { (try? read(Head.self, path.cursor(table)))?.batch ?? 0 }

    /// Notes that.
    func hint(_ batch: UInt64, of table: String) throws {
        try store.replace(path.cursor(table), try encode(Head(batch: batch)))
    }

    /// The last batch that tables which were left for later hold; a hint, 0 when there is none.
    func deferredHint() throws -> UInt64 { (try? read(Head.self, path.deferred))?.batch ?? 0 }

    /// Notes that.
    func hintDeferred(_ batch: UInt64) throws {
        try store.replace(path.deferred, try encode(Head(batch: batch)))
    }

    /// What the heads of the shard's tables were, by name; hints, empty when there are none.
    func tableHints() -> [String: TableHint] {
        (try? store.read(path.tables)).flatMap { TableHint.decode($0) } ?? [:]
    }

    /// Notes that.
    func hint(_ tables: [GroupTable]) throws {
        var hints: [String: TableHint] = [:]
        for table in tables { hints[table.name.description] = try table.delta.hint() }
        try store.replace(path.tables, TableHint.encode(hints))
    }

    /// Points at the newest receipt.
    func pointHead(at batch: UInt64) throws { try store.replace(path.head, try encode(Head(batch: batch))) }
}
