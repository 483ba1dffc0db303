import Catalog
import Intake
import ObjectStorage
import Pipelines
import Synchronization
import Telemetry

/// Passes on what a pipeline's run tells: to logs and metrics, and to the note of its last failure.
final class RunWatch: Sendable {
    private let settings: PipelineSettings
    private let lake: Lake
    private let telemetry: RunTelemetry
    private let events: @Sendable (PipelineEvent) -> Void
    /// Whether a note of a failure may lie in the lake; one of an earlier run does until this one is well.
    private let hasNote = Mutex(true)
    /// Whether a file cannot be read now.
    private let hasUnreadable = Mutex(false)

    /// Begins to watch a pipeline.
    init(_ settings: PipelineSettings, _ lake: Lake, _ telemetry: RunTelemetry) {
        self.settings = settings
        self.lake = lake
        self.telemetry = telemetry
        let look = BacklogLook(settings, lake)
        events = telemetry.events(of: settings.name) { try look.backlog() }
        telemetry.started(settings.name, table: settings.target)
    }

    /// Receives the pipeline's events.
    @Sendable func note(_ event: PipelineEvent) {
        switch event {
        case .retrying(let error, _): noteFailure(error)
        case .committed, .broughtIn, .caughtUp: noteSuccess()
        case .unreadable(let errors): noteUnreadable(errors)
        case .remark, .spool: break
        }
        events(event)
    }

    /// Runs `body`, whose failure or success is noted.
    func watching<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        do {
            let result = try await body()
            noteSuccess()
            return result
        } catch let error as PipelineError where error.code == .cancelled {
            throw error
        } catch {
            noteFailure(error)
            telemetry.failed(settings.name)
            throw error
        }
    }

    private func noteFailure(_ error: any Error) {
        hasNote.withLock { $0 = true }
        // A lake that does not answer takes no note either, and would be waited for.
        if let error = error as? StorageError, error.isRetryable, error.path.hasPrefix(lake.store.root) {
            return
        }
        let note = FailureNote(message: ErrorReport(error).line, at: wallClock())
        FailureNote.put(note, pipeline: settings.name, in: lake.store)
    }

    private func noteUnreadable(_ errors: [StorageError]) {
        hasUnreadable.withLock { $0 = !errors.isEmpty }
        if let error = errors.first { noteFailure(error) } else { noteSuccess() }
    }

    private func noteSuccess() {
        // Batches of other files do not make an unreadable one well.
        guard !hasUnreadable.withLock({ $0 }) else { return }
        let isDue = hasNote.withLock { hasNote in
            defer { hasNote = false }
            return hasNote
        }
        if isDue { FailureNote.put(nil, pipeline: settings.name, in: lake.store) }
    }
}

/// Looks again and again what lies unread, at the cost of what has changed.
private final class BacklogLook: Sendable {
    private let lake: Lake
    private let looks: Mutex<PipelineLooks>

    init(_ settings: PipelineSettings, _ lake: Lake) {
        self.lake = lake
        looks = Mutex(PipelineLooks(settings))
    }

    func backlog() throws -> PipelineBacklog {
        try looks.withLock { try $0.look(lake, now: wallClock()).backlog }
    }
}
