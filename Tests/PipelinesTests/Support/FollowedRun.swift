import Catalog
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
    convenience init(_ fixture: PipelineFixture) {
        var settings = fixture.settings
        settings.commitInterval = .milliseconds(1)
        self.init(.postgres(settings), lake: fixture.lake, now: fixture.now)
    }

    /// Starts to follow the files of a fixture, or what others leave for gold.
    convenience init(_ fixture: DatabricksFixture, _ layers: DatabricksPipelineSettings.Layers) {
        var settings = fixture.settings
        settings.layers = layers
        settings.commitInterval = .milliseconds(1)
        self.init(.databricks(settings), lake: fixture.lake, now: fixture.now)
    }

    /// Starts to follow what a pipeline reads.
    init(_ settings: PipelineSettings, lake: Lake, now: Int64) {
        let (events, sink) = AsyncStream<PipelineEvent>.makeStream()
        self.events = events
        iterator = events.makeAsyncIterator()
        let observer = PipelineObserver(event: { sink.yield($0) })
        run = Task { [stop] in
            defer { sink.finish() }
            return try await settings.follow(lake: lake, observer: observer, stop: stop, clock: { now })
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

    /// The next batch that came into gold, and its rows; nil when the run ended without one.
    func broughtIn() async -> (batch: UInt64, rows: Int)? {
        await next { event in
            if case .broughtIn(let batch, let rows) = event { (batch, rows.values.reduce(0, +)) } else { nil }
        }
    }

    /// Waits until a look at what others have left found nothing to do.
    func waitUntilIdle() async {
        _ = await next { event in
            if case .caughtUp(nil) = event { true } else { nil }
        }
    }

    /// Waits until the spool holds this many bytes.
    func spooled(_ wanted: UInt64, sourceLocation: SourceLocation = #_sourceLocation) async {
        let held = await next { event -> UInt64? in
            guard case .spool(.grew(let bytes, _)) = event, bytes >= wanted else { return nil }
            return bytes
        }
        #expect(held == wanted, sourceLocation: sourceLocation)
    }

    /// Waits until the spool is full; gives the bytes that it did not take.
    func refused() async -> UInt64? {
        await next { event in
            if case .spool(.refuses(.isFull, let bytes)) = event { bytes } else { nil }
        }
    }

    /// Waits until an outage is over; gives whether anything was kept of it.
    func outageEnded() async -> Bool? {
        await next { event in
            switch event {
            case .spool(.ended): true
            case .spool(.endedUnkept): false
            default: nil
            }
        }
    }

    /// Waits for the end of the run.
    func outcome() async throws -> RunSummary { try await run.value }

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
