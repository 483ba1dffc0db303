import Catalog
import Foundation
import Testing

@testable import Pipelines
@testable import Telemetry

@Suite struct ExpositionTests {
    private func metrics(_ events: [PipelineEvent]) -> PipelineMetrics {
        var metrics = PipelineMetrics()
        for event in events { metrics.apply(event) }
        return metrics
    }

    private var usage: ProcessUsage? {
        ProcessUsage(
            stat: "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 17 18 19 20 25 22",
            ticksPerSecond: 100,
            pageByteCount: 4_096,
            openDescriptors: 9,
            descriptorLimit: 1_024
        )
    }

    @Test func everyMetricIsWrittenAsTheGoldenFileHasIt() throws {
        var report = BatchReport.sample
        report.expectations = [.lost]
        var redone = BatchReport.sample
        redone.isRedone = true
        redone.finishedAt += 1_000_000
        var lossy = BatchReport.sample
        lossy.lostBytes = 11
        var events = metrics([.broughtIn(batch: 3, rows: [Self.table("a"): 5, Self.table("b"): 2])])
        events.backlog = PipelineBacklog(
            lagBytes: 0,
            lagSeconds: 0,
            pendingBytes: 0,
            gold: GoldBacklog(batches: 2, rows: 30)
        )
        let text = Exposition(
            [
                "pg\"\\\n1": metrics([
                    .caughtUp(pending: ["/a": 5, "/b": 7]), .committed(report), .committed(redone),
                ]),
                "events": events,
                "idle": metrics([]),
                "spooling": metrics([
                    .spool(.began(TestError())), .spool(.grew(byteCount: 7, refused: 3)), .committed(lossy),
                ]),
                "back": metrics([
                    .spool(.began(TestError())), .spool(.grew(byteCount: 7, refused: 3)), .spool(.ended),
                    .spool(.began(TestError())), .spool(.endedUnkept),
                ]),
                "broken": metrics([.retrying(TestError(), after: .seconds(1))]),
            ],
            process: usage,
            version: "0.1.0"
        ).text
        let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Golden/metrics.prom"
        )
        if ProcessInfo.processInfo.environment["AUDITLAKE_WRITE_GOLDEN"] != nil {
            try Data(text.utf8).write(to: golden)
        }
        #expect(text == String(decoding: try Data(contentsOf: golden), as: UTF8.self))
    }

    private static func table(_ name: String) -> TableName {
        TableName(catalog: "main", schema: "audit_gold", table: name)
    }

    @Test func aLookOfGoldSaysNothingOfTheSource() {
        var found = metrics([.retrying(TestError(), after: .seconds(1))])
        let backlog = PipelineBacklog(
            lagBytes: 9,
            lagSeconds: 1,
            pendingBytes: 0,
            gold: GoldBacklog(batches: 2, rows: 30)
        )
        found.backlog = backlog
        found.apply(.caughtUp(pending: nil))
        #expect(found.backlog == backlog)
        #expect(!found.isFailing)
        found.apply(.caughtUp(pending: [:]))
        #expect(found.backlog?.lagBytes == 0)
        #expect(found.backlog?.gold == backlog.gold)
    }

    @Test func aRedoneBatchDoesNotCountAsSlow() {
        var redone = BatchReport.sample
        redone.isRedone = true
        #expect(metrics([.committed(redone)]).batchDurations.count == 0)
        #expect(metrics([.committed(.sample)]).batchDurations.count == 1)
    }

    @Test func bucketsAreCumulativeAndABoundBelongsToItsBucket() {
        var histogram = DurationHistogram()
        for seconds in [0.05, 0.051, 60, 61] { histogram.observe(seconds) }
        let values = histogram.samples([]).map(\.value)
        #expect(values == [1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 4, 121.101, 4])
    }

    @Test func aStepThatSucceedsEndsTheComplaint() {
        let telemetry = RunTelemetry(
            RunTelemetry.Options(logFormat: .json, logLevel: .critical),
            version: "1",
            words: EventWords(remark: { _ in "" }, error: { _ in "" }),
            clock: { 0 },
            write: { _ in }
        )
        let receive = telemetry.events(of: "pg") {
            PipelineBacklog(lagBytes: 11, lagSeconds: 2.5, pendingBytes: 3)
        }
        #expect(telemetry.complaint() == nil)
        receive(.retrying(TestError(), after: .seconds(1)))
        #expect(telemetry.complaint() == "failing: pg")
        telemetry.sample()
        #expect(telemetry.exposition().contains("auditlake_lag_bytes{pipeline=\"pg\"} 11\n"))
        #expect(telemetry.exposition().contains("auditlake_lag_seconds{pipeline=\"pg\"} 2.5\n"))
        receive(.caughtUp(pending: [:]))
        #expect(telemetry.complaint() == nil)
        telemetry.failed("pg")
        #expect(telemetry.complaint() == "failing: pg")
    }

    @Test(arguments: ["", "42 (name", "42 (name) S 1 2"])
    func aStatLineOfAnotherFormIsNoUsage(stat: String) {
        #expect(
            ProcessUsage(
                stat: stat,
                ticksPerSecond: 100,
                pageByteCount: 1,
                openDescriptors: 0,
                descriptorLimit: 0
            ) == nil
        )
    }

    @Test func thisProcessHasMemoryAndDescriptors() throws {
        let usage = try #require(ProcessUsage.current())
        #expect(usage.residentByteCount > 1 << 20 && usage.openDescriptors > 0 && usage.descriptorLimit > 0)
    }
}
