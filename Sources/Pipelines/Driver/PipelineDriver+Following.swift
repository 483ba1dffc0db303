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
        let store = work.lake.store
        let patience = Patience { store.giveUp() }
        stop.onceMade { patience.stop() }
        store.failures?.listen { [weak keeper, weak patience] error in
            patience?.fail()
            keeper?.begin(error)
        }
        let sourcePatience = patienceWithSource(until: stop)
        defer { sourcePatience?.stop() }
        while !stop.isMade {
            do {
                let waits = [patience, sourcePatience].compactMap(\.self)
                try follow(watcher, keeper, waits, &backOff, until: stop)
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

    /// How long a bucket that is read is waited for; nil where nothing is read from one.
    private func patienceWithSource(until stop: StopRequest) -> Patience? {
        guard let bucket = work.sourceBucket else { return nil }
        let patience = Patience { bucket.giveUp() }
        stop.onceMade { [weak patience] in patience?.stop() }
        let observer = work.observer
        bucket.failures?.listen { [weak patience] error in
            if patience?.fail() == true { observer.event(.unreadable([error])) }
        }
        return patience
    }

    private func follow(
        _ watcher: any SourceWatcher,
        _ keeper: SpoolKeeper?,
        _ waits: [Patience],
        _ backOff: inout BackOff,
        until stop: StopRequest
    ) throws {
        var run = try work.open(after: newestReceipt)
        keeper?.know(run.positions)
        keeper?.notePositions()
        defer {
            newestReceipt = run.newestReceipt
            keeper?.notePositions()
        }
        do {
            try follow(&run, watcher, keeper, waits, &backOff, until: stop)
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
        _ waits: [Patience],
        _ backOff: inout BackOff,
        until stop: StopRequest
    ) throws {
        // What was broken is told once a minute, and at the end.
        var nextProjection = ContinuousClock.now + Self.projectionInterval
        var toldUnreadable: [StorageError] = []
        while !stop.isMade {
            let look = ContinuousClock.now
            try bringForward(&run, keeper)
            for patience in waits { patience.succeed() }
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
        try takeSteps(&run, keeper)
        // The lake is back and has all that was there: what was written meanwhile follows.
        guard keeper?.end() == true else { return }
        try takeSteps(&run, keeper)
    }

    private func takeSteps(_ run: inout ShardRun, _ keeper: SpoolKeeper?) throws {
        repeat {
            // What has a receipt need not be spooled, whatever fails behind it.
            defer {
                keeper?.know(run.positions)
                keeper?.noteFirstPositions()
            }
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

/// How long a service is waited for: one that does not answer, no longer than until a stop.
private final class Patience: Sendable {
    private let giveUp: @Sendable () -> Void
    private let state = Mutex((isFailing: false, isStopped: false))

    /// Nothing has failed yet.
    init(_ giveUp: @escaping @Sendable () -> Void) { self.giveUp = giveUp }

    /// A call has failed, and is tried again; whether that is news.
    @discardableResult
    func fail() -> Bool {
        let isNews = state.withLock { !$0.isFailing }
        change { $0.isFailing = true }
        return isNews
    }

    /// The lake has all that is there.
    func succeed() { change { $0.isFailing = false } }

    /// The run is to end.
    func stop() { change { $0.isStopped = true } }

    private func change(_ body: (inout (isFailing: Bool, isStopped: Bool)) -> Void) {
        let isOver = state.withLock { state in
            body(&state)
            return state.isFailing && state.isStopped
        }
        if isOver { giveUp() }
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
