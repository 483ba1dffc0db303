import Catalog
import DeltaTables
import Intake
import ObjectStorage

extension PostgresPipeline {
    /// How long a look at the files may be off when nothing tells of a change.
    private static let longestWait = Duration.seconds(5)
    /// Time between two looks at the rules that records broke.
    private static let projectionInterval = Duration.seconds(60)

    /// Reads what is there, then what is written, until it is asked to stop.
    ///
    /// A batch has its receipt at the latest `commitInterval` after its records are complete, as long as the machine
    /// keeps up. What a person or time can mend, such as a full disk, is reported and tried again. An open batch is
    /// finished before the run ends.
    ///
    /// - Parameters:
    ///   - settings: What to read and where to write.
    ///   - lake: Receives the tables.
    ///   - observer: Is told what happens; `isCancelled` is not asked.
    ///   - stop: Ends the run.
    ///   - clock: Microseconds since 1970-01-01 UTC.
    /// - Returns: What the run did.
    /// - Throws: As `runOnce`, apart from what is tried again.
    package static func follow(
        _ settings: PostgresPipelineSettings,
        lake: Lake,
        observer: PipelineObserver,
        stop: StopRequest,
        clock: @escaping @Sendable () -> Int64
    ) async throws -> RunSummary {
        var observer = observer
        observer.isCancelled = { stop.isMade }
        let telling = observer
        return try await WorkerThread.run(stackByteCount: stackByteCount) {
            let pipeline = PostgresPipeline(settings: settings, lake: lake, observer: telling, clock: clock)
            return try pipeline.follow(until: stop)
        }
    }

    private func follow(until stop: StopRequest) throws -> RunSummary {
        let watcher = FileWatcher(source: settings.source)
        stop.onceMade { watcher.wake() }
        var backOff = BackOff(first: settings.commitInterval)
        while !stop.isMade {
            do {
                try follow(watcher, &backOff, until: stop)
            } catch let error as PipelineError where error.code == .cancelled {
                break
            } catch  where Self.mayMendItself(error) {
                let delay = backOff.next()
                observer.event(.retrying(error, after: delay))
                stop.sleep(for: delay)
            }
        }
        return summary
    }

    private func follow(_ watcher: FileWatcher, _ backOff: inout BackOff, until stop: StopRequest) throws {
        var run = try open()
        // What was broken is told once a minute, and at the end.
        var nextProjection = ContinuousClock.now + Self.projectionInterval
        defer { tellExpectations(of: run) }
        var toldUnreadable: [StorageError] = []
        while !stop.isMade {
            let look = ContinuousClock.now
            repeat {
                guard try run.advance() else { break }
            } while run.hasOpenBatch || hasBacklog
            backOff.reset()
            if ContinuousClock.now >= nextProjection {
                tellExpectations(of: run)
                nextProjection = ContinuousClock.now + Self.projectionInterval
            }
            if unreadable != toldUnreadable { observer.event(.unreadable(unreadable)) }
            toldUnreadable = unreadable
            if unreadable.isEmpty { observer.event(.caughtUp(pending: summary.pending)) }
            _ = watcher.wait(until: look + Self.longestWait)
            // What is written from now on is gathered, so that a batch is worth its commit.
            stop.sleep(for: look + settings.commitInterval / 2 - ContinuousClock.now)
        }
    }

    /// Nothing depends on the table of expectations: what fails is told and tried again later.
    private func tellExpectations(of run: ShardRun) {
        do {
            try projectExpectations(of: run)
        } catch {
            observer.event(.retrying(error, after: Self.projectionInterval))
        }
    }

    /// Whether a failure can pass without a change of the configuration or the lake's content.
    private static func mayMendItself(_ error: any Error) -> Bool {
        error is StorageError || error is CommitConflictError
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
