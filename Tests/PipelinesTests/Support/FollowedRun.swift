import Foundation
import Pipelines
import Synchronization
import Testing

/// A run that follows its files while a test writes them; the test waits for events, never for time.
final class FollowedRun {
    let stop = StopRequest()
    private let events: AsyncStream<PipelineEvent>
    private var iterator: AsyncStream<PipelineEvent>.Iterator
    private let run: Task<RunSummary, any Error>

    /// Starts to follow the files of a fixture.
    init(_ fixture: PipelineFixture) {
        let (events, sink) = AsyncStream<PipelineEvent>.makeStream()
        self.events = events
        iterator = events.makeAsyncIterator()
        var settings = fixture.settings
        settings.commitInterval = .milliseconds(1)
        let observer = PipelineObserver(event: { sink.yield($0) })
        let (lake, now, stop) = (fixture.lake, fixture.now, stop)
        run = Task { [settings] in
            defer { sink.finish() }
            return try await PipelineSettings.postgres(settings).follow(
                lake: lake,
                observer: observer,
                stop: stop,
                clock: { now }
            )
        }
    }

    /// The first event from now on that `pick` takes; nil when the run ended without one.
    func next<Value>(_ pick: (PipelineEvent) -> Value?) async -> Value? {
        while let event = await iterator.next() {
            if let value = pick(event) { return value }
        }
        return nil
    }

    /// What the batches brought that were waited for.
    private var rowCount = 0
    private var quarantinedCount = 0

    /// Waits until batches brought this many more rows, and this many more faults.
    func rows(
        _ rows: Int,
        quarantined faults: Int = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        expectedRowCount += rows
        expectedQuarantinedCount += faults
        while rowCount < expectedRowCount || quarantinedCount < expectedQuarantinedCount {
            guard let report = await committed() else { break }
            rowCount += report.rows
            quarantinedCount += report.quarantined
        }
        #expect(rowCount == expectedRowCount, sourceLocation: sourceLocation)
        #expect(quarantinedCount == expectedQuarantinedCount, sourceLocation: sourceLocation)
    }

    private var expectedRowCount = 0
    private var expectedQuarantinedCount = 0

    /// The next batch; nil when the run ended without one.
    func committed() async -> BatchReport? {
        await next { event in
            if case .committed(let report) = event { report } else { nil }
        }
    }

    /// Waits until nothing is unread; gives the bytes that wait, by path.
    func caughtUp() async -> [String: UInt64]? {
        await next { event in
            if case .caughtUp(let pending) = event { pending } else { nil }
        }
    }

    /// Asks the run to stop and waits for its end.
    @discardableResult
    func end() async throws -> RunSummary {
        stop.make()
        return try await run.value
    }
}
