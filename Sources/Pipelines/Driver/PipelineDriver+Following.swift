import DeltaTables
import ObjectStorage
import Synchronization

extension PipelineDriver {
    /// Time between two looks at what goes into the system tables.
    private static let projectionInterval = Duration.seconds(60)

    /// Reads what is there, then what comes, until it is asked to stop.
    ///
    /// What a person or time can mend, such as a full disk, is reported and tried again. An open batch is finished
    /// before the run ends, unless the lake does not answer.
    func follow(until stop: StopRequest) throws -> RunSummary {
        let watcher = work.makeWatcher()
        stop.onceMade { watcher.wake() }
        var backOff = BackOff(first: work.commitInterval)
        let keeper = work.makeKeeper()
        defer { keeper?.close() }
        stop.onceMade { [weak keeper] in keeper?.stop() }
        let patience = Patience(with: work.lake.store)
        stop.onceMade { patience.stop() }
        work.lake.store.failures?.listen { [weak keeper, weak patience] error in
            patience?.fail()
            keeper?.begin(error)
        }
        while !stop.isMade {
            do {
                try follow(watcher, keeper, patience, &backOff, until: stop)
            } catch let error as PipelineError where error.code == .cancelled {
                break
            } catch  where Self.mayMendItself(error) {
                keeper?.begin(error)
                let delay = backOff.next()
                work.observer.event(.retrying(error, after: delay))
                stop.sleep(for: delay)
            }
        }
        return work.summary
    }

    private func follow(
        _ watcher: any SourceWatcher,
        _ keeper: SpoolKeeper?,
        _ patience: Patience,
        _ backOff: inout BackOff,
        until stop: StopRequest
    ) throws {
        var run = try work.open()
        keeper?.know(run.positions)
        keeper?.notePositions()
        defer { keeper?.notePositions() }
        do {
            try follow(&run, watcher, keeper, patience, &backOff, until: stop)
        } catch {
            // A lake that does not answer would be waited for.
            if !Self.mayMendItself(error) { tell(run) }
            throw error
        }
        tell(run)
    }

    private func follow(
        _ run: inout ShardRun,
        _ watcher: any SourceWatcher,
        _ keeper: SpoolKeeper?,
        _ patience: Patience,
        _ backOff: inout BackOff,
        until stop: StopRequest
    ) throws {
        // What was broken is told once a minute, and at the end.
        var nextProjection = ContinuousClock.now + Self.projectionInterval
        var toldUnreadable: [StorageError] = []
        while !stop.isMade {
            let look = ContinuousClock.now
            try bringForward(&run, keeper)
            patience.succeed()
            backOff.reset()
            if ContinuousClock.now >= nextProjection {
                tell(run)
                try note(run)
                keeper?.notePositions()
                nextProjection = ContinuousClock.now + Self.projectionInterval
            }
            if work.unreadable != toldUnreadable { work.observer.event(.unreadable(work.unreadable)) }
            toldUnreadable = work.unreadable
            if work.unreadable.isEmpty {
                work.observer.event(.caughtUp(pending: work.readsSource ? work.summary.pending : nil))
            }
            watcher.wait(until: look + work.longestWait)
            // What is written from now on is gathered, so that a batch is worth its commit.
            stop.sleep(for: look + work.commitInterval / 2 - ContinuousClock.now)
        }
    }

    private func bringForward(_ run: inout ShardRun, _ keeper: SpoolKeeper?) throws {
        guard work.readsSource else { return try run.bringInWhatIsReceived() }
        try bringForward(&run)
        keeper?.know(run.positions)
        keeper?.noteFirstPositions()
        // The lake is back and has all that was there: what was written meanwhile follows.
        guard keeper?.end() == true else { return }
        try bringForward(&run)
        keeper?.know(run.positions)
    }

    private func bringForward(_ run: inout ShardRun) throws {
        repeat {
            guard try run.advance() else { return }
        } while run.hasOpenBatch || work.hasBacklog
    }

    /// Nothing depends on the system tables: what fails is told and tried again later.
    private func tell(_ run: ShardRun) {
        do {
            try project(run)
        } catch {
            work.observer.event(.retrying(error, after: Self.projectionInterval))
        }
    }

    /// Whether a failure can pass without a change of the configuration or the lake's content.
    private static func mayMendItself(_ error: any Error) -> Bool {
        error is StorageError || error is CommitConflictError
    }
}

/// How long a lake is waited for: one that does not answer, no longer than until a stop.
private final class Patience: Sendable {
    private let store: any ObjectStore
    private let state = Mutex((isFailing: false, isStopped: false))

    /// Nothing has failed yet.
    init(with store: any ObjectStore) { self.store = store }

    /// A call has failed, and is tried again.
    func fail() { change { $0.isFailing = true } }

    /// The lake has all that is there.
    func succeed() { change { $0.isFailing = false } }

    /// The run is to end.
    func stop() { change { $0.isStopped = true } }

    private func change(_ body: (inout (isFailing: Bool, isStopped: Bool)) -> Void) {
        let isOver = state.withLock { state in
            body(&state)
            return state.isFailing && state.isStopped
        }
        if isOver { store.giveUp() }
    }
}

/// How long to wait before a failed step is tried again: twice as long each time, up to a minute.
struct BackOff {
    private let first: Duration
    private var delay: Duration

    /// Starts with a time.
    init(first: Duration) {
        self.first = first
        delay = first
    }

    /// The time to wait now.
    mutating func next() -> Duration {
        defer { delay = min(delay * 2, .seconds(60)) }
        return delay
    }

    /// Starts from the first time again.
    mutating func reset() { delay = first }
}
