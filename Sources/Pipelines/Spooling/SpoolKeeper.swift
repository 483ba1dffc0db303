import BatchProtocol
import Intake
import ObjectStorage
import Synchronization

/// Spools the logs of one pipeline while its lake is down, on a thread of its own.
///
/// The pipeline's thread waits for the lake meanwhile, for minutes perhaps.
final class SpoolKeeper: Sendable {
    private struct State {
        /// How far batches have read the files; nil before the lake was first asked.
        var positions: [TrackedFile]?
        /// What was stored of that.
        var noted: [TrackedFile]?
        var session: (stop: StopRequest, thread: WorkerThread)?
        /// Whether the session that goes on, or was the last, had a spool.
        var hasKept = false
        var isClosed = false
    }

    private let holder: SpoolHolder
    private let source: TailedFileSource
    /// Where the lake lies, which may be below the logs' folder.
    private let lake: String
    private let commitInterval: Duration
    private let observer: PipelineObserver
    private let clock: @Sendable () -> Int64
    private let state = Mutex(State())

    /// Keeps nothing yet.
    init(
        _ holder: SpoolHolder,
        _ settings: PostgresPipelineSettings,
        lake: String,
        observer: PipelineObserver,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.holder = holder
        source = settings.source
        self.lake = lake
        commitInterval = settings.commitInterval
        self.observer = observer
        self.clock = clock
    }

    /// Whether the lake is down, as far as is known.
    var isActive: Bool { state.withLock { $0.session != nil } }

    /// Takes in how far batches have read the files.
    func know(_ positions: [TrackedFile]) { state.withLock { $0.positions = positions } }

    /// Stores that for a process that begins while the lake is down.
    func notePositions() {
        guard let spool = holder.spool else { return }
        let news = state.withLock { $0.positions == $0.noted ? nil : $0.positions }
        guard let news else { return }
        do {
            try spool.note(news)
            state.withLock { $0.noted = news }
        } catch {
            observer.event(.spool(.unusable(error)))
        }
    }

    /// Stores it at once when no position was stored before: from then on the lake is known as one with batches.
    func noteFirstPositions() {
        let isFirst = state.withLock { $0.noted?.isEmpty != false && $0.positions?.isEmpty == false }
        if isFirst { notePositions() }
    }

    // MARK: An outage

    /// The lake has failed: begins to spool unless that goes on already.
    ///
    /// For any thread; does not block.
    func begin(_ error: any Error) {
        guard let error = error as? StorageError, !isOfSource(error) else { return }
        state.withLock { state in
            guard state.session == nil, !state.isClosed else { return }
            let stop = StopRequest()
            let positions = state.positions
            let thread = WorkerThread.start(stackByteCount: 1 << 20) { [self] in
                run(after: positions, error, until: stop)
            }
            state.session = (stop, thread)
            state.hasKept = false
        }
    }

    /// Whether a failure is of the log files, and says nothing of the lake.
    private func isOfSource(_ error: StorageError) -> Bool {
        guard error.path != lake, !error.path.hasPrefix("\(lake)/") else { return false }
        return (source.patterns + [source.currentLogfiles, holder.settings.folder].compactMap(\.self))
            .contains {
                pattern in
                let fixed = pattern.prefix { !"*?[{".contains($0) }
                return error.path.hasPrefix(fixed[...(fixed.lastIndex(of: "/") ?? fixed.startIndex)])
            }
    }

    /// The lake is back: ends spooling; whether it went on.
    func end() -> Bool {
        guard join() else { return false }
        holder.attempt { try $0.end() }
        observer.event(.spool(state.withLock(\.hasKept) ? .ended : .endedUnkept))
        return true
    }

    /// The run is to end: what is being copied ends soon, and nothing is begun any more.
    ///
    /// For any thread; does not block.
    func stop() {
        let session = state.withLock { state in
            state.isClosed = true
            return state.session
        }
        session?.stop.make()
    }

    /// Ends for good; the lake may still be down.
    func close() {
        stop()
        _ = join()
    }

    /// Waits for the end of the session; false when there is none.
    private func join() -> Bool {
        guard let session = state.withLock(\.session) else { return false }
        session.stop.make()
        session.thread.join()
        state.withLock { $0.session = nil }
        return true
    }

    // MARK: The thread

    private func run(after positions: [TrackedFile]?, _ error: any Error, until stop: StopRequest) {
        observer.event(.spool(.began(error)))
        holder.tellAnew()
        let watcher = FileWatcher(source: source)
        stop.onceMade { watcher.wake() }
        var session: SpoolSession?
        var told = Told()
        while !stop.isMade {
            let look = ContinuousClock.now
            do {
                if let spool = holder.ask(isMade: true, isPatient: false) {
                    session = try session ?? begin(spool, after: positions, error)
                }
                if let session { tell(try session.step { stop.isMade }, &told) }
            } catch let failure as StorageError {
                tell([failure], &told)
            } catch {
                observer.event(.spool(.unusable(error)))
            }
            // A lock that another process lets go of changes no log.
            if session != nil { _ = watcher.waitForChange(until: look + .seconds(5)) }
            stop.sleep(for: look + commitInterval / 2 - ContinuousClock.now)
        }
    }

    private func begin(
        _ spool: Spool,
        after positions: [TrackedFile]?,
        _ error: any Error
    ) throws -> SpoolSession {
        notePositions()
        let session = try SpoolSession(
            spool,
            source: source,
            after: positions,
            reason: "\(error)",
            now: clock()
        )
        state.withLock { $0.hasKept = true }
        return session
    }

    /// What was said last.
    private struct Told {
        var sizes: [UInt64] = []
        var refusal: Spool.Refusal?
        var errors: [StorageError] = []
    }

    private func tell(_ report: SpoolSession.Report, _ told: inout Told) {
        let sizes = [report.byteCount, report.refusedByteCount]
        if told.sizes != sizes {
            observer.event(.spool(.grew(byteCount: report.byteCount, refused: report.refusedByteCount)))
        }
        told.sizes = sizes
        if let refusal = report.refusal, refusal != told.refusal {
            observer.event(.spool(.refuses(refusal, bytes: report.refusedByteCount)))
        }
        told.refusal = report.refusal
        tell(report.errors, &told)
    }

    private func tell(_ errors: [StorageError], _ told: inout Told) {
        if errors != told.errors, !errors.isEmpty { observer.event(.spool(.failed(errors))) }
        told.errors = errors
    }
}
