import BatchProtocol
import Catalog
import Intake
import Logging
import Synchronization
import Testing

@testable import Pipelines
@testable import Telemetry

@Suite struct LogLineTests {
    /// 2026-11-21 06:22:00.545 UTC.
    static let now: Int64 = 1_795_242_120_545_000

    /// The lines that some events make.
    private func lines(
        _ format: LogFormat,
        level: Logger.Level = .debug,
        _ events: [PipelineEvent]
    ) -> [String] {
        let lines = Lines()
        let telemetry = RunTelemetry(
            RunTelemetry.Options(logFormat: format, logLevel: level),
            version: "1",
            words: EventWords(remark: { "\($0)" }, error: { _ in "no space left; free some" }),
            clock: { Self.now },
            write: lines.append
        )
        let receive = telemetry.events(of: "pg") { throw TestError() }
        for event in events { receive(event) }
        return lines.all
    }

    @Test func aBatchIsOneJSONObjectWithTypedFields() {
        #expect(
            lines(.json, [.committed(.sample)]) == [
                #"{"time":"2026-11-21T06:22:00.545Z","level":"info","event":"batch_committed","message":"batch 7: 10 rows, 2000 bytes, 1 quarantined, 3 left out by keep, 0.25 s","pipeline":"pg","batch":7,"bytes":2000,"duration_seconds":0.25,"lag_bytes":0,"left_out":{"keep":3},"planned_at":"2026-11-21T06:22:00.000Z","quarantined":1,"redone":false,"rows":10}"#
                    + "\n"
            ]
        )
    }

    @Test func aBatchIsOneLineForPeople() {
        #expect(
            lines(.text, [.committed(.sample)]) == [
                "2026-11-21T06:22:00.545Z info pg: batch 7: 10 rows, 2000 bytes, 1 quarantined, 3 left out by keep, 0.25 s\n"
            ]
        )
    }

    @Test func aBrokenExpectationIsAWarningThatNamesSessionAndLines() {
        var report = BatchReport.sample
        report.expectations = [.lost]
        let warnings = lines(.json, level: .warning, [.committed(report)])
        #expect(
            warnings == [
                #"{"time":"2026-11-21T06:22:00.545Z","level":"warning","event":"expectation_broken","message":"lines of a session have no gap: broken 2 times: session 6b01.1, lines 3 to 4","pipeline":"pg","action":"warn","batch":7,"checked":9,"failed":2,"rule":"session_line_gap","samples":["session 6b01.1, lines 3 to 4"]}"#
                    + "\n"
            ]
        )
    }

    @Test func anExpectationThatHoldsIsNotLogged() {
        var report = BatchReport.sample
        report.expectations = [.lost]
        report.expectations[0].failed = 0
        #expect(lines(.json, level: .warning, [.committed(report)]).isEmpty)
    }

    @Test func aRetryTellsErrorAndDelay() {
        #expect(
            lines(.json, [.retrying(TestError(), after: .milliseconds(1_500))]) == [
                #"{"time":"2026-11-21T06:22:00.545Z","level":"warning","event":"retrying","message":"no space left; free some; trying again in 1.5 s","pipeline":"pg","delay_seconds":1.5,"error":"no space left; free some"}"#
                    + "\n"
            ]
        )
    }

    @Test func whatBecomesOfLogsIsToldWhileTheLakeIsDown() {
        let events: [PipelineEvent] = [
            .spool(.began(TestError())), .spool(.grew(byteCount: 7, refused: 0)),
            .spool(.refuses(.isFull, bytes: 3)), .spool(.refuses(.diskIsFull, bytes: 4)),
            .spool(.unusable(TestError())), .spool(.taken(folder: "/spool/pg")), .spool(.ended),
            .spool(.refuses(.copyIsDamaged, bytes: 5)), .spool(.removed(folder: "/spool/pg")),
            .spool(.endedUnkept),
        ]
        let text = lines(.json, level: .info, events)
        let names = [
            "began", "full", "full", "unusable", "taken", "ended", "full", "removed", "ended_unkept",
        ]
        #expect(text.count == names.count)
        for (line, name) in zip(text, names) { #expect(line.contains("spool_" + name)) }
        #expect(text[0].contains("logs are spooled until it is back: no space left; free some"))
        #expect(text[1].contains("`spool: max_bytes` allows; 3 bytes are in the log files alone"))
        #expect(text[2].contains("`spool: disk_floor` keeps; 4 bytes"))
        #expect(text[4].contains("another process has the spool /spool/pg"))
        #expect(text[6].contains("removed or cut a copy in it; 5 bytes"))
        #expect(text[7].contains("somebody has removed the spool /spool/pg"))
    }

    @Test func aBatchThatCameIntoGoldIsTold() {
        let table = TableName(catalog: "main", schema: "audit_gold", table: "jobs")
        #expect(
            lines(.json, [.broughtIn(batch: 3, rows: [table: 5])]) == [
                #"{"time":"2026-11-21T06:22:00.545Z","level":"info","event":"gold_brought_in","message":"batch 3 is in gold: 5 rows in 1 tables","pipeline":"pg","batch":3,"rows":5,"tables":1}"#
                    + "\n"
            ]
        )
    }

    @Test func theLevelLeavesLinesOut() {
        #expect(lines(.json, level: .warning, [.committed(.sample), .caughtUp(pending: [:])]).isEmpty)
    }

    @Test func aStopIsToldOnceForAllPipelines() {
        let lines = Lines()
        let telemetry = RunTelemetry(
            RunTelemetry.Options(logFormat: .json, logLevel: .info),
            version: "1",
            words: EventWords(remark: { "\($0)" }, error: { "\($0)" }),
            clock: { Self.now },
            write: lines.append
        )
        for _ in 0..<2 { telemetry.stopping() }
        #expect(
            lines.all == [
                #"{"time":"2026-11-21T06:22:00.545Z","level":"info","event":"stopping","message":"stopping; an open batch is finished first"}"#
                    + "\n"
            ]
        )
    }

    @Test func aNameCannotForgeALine() {
        let remark = PipelineEvent.remark(
            .files(.startsAnew(path: "/log/a\n2026 info forged\u{1B}[31m\".csv"))
        )
        let text = lines(.text, [remark])
        #expect(text.count == 1 && text[0].dropLast().allSatisfy { !$0.isNewline })
        #expect(
            text[0].contains("a\\\\n2026 info forged\\u{1B}[31m") || text[0].contains("\\n2026 info forged")
        )
        #expect(!text[0].unicodeScalars.contains("\u{1B}"))
        let json = lines(.json, [remark])
        #expect(json[0].dropLast().allSatisfy { !$0.isNewline })
    }

    @Test(
        arguments: [
            ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t", #""\n\r\t""#),
            ("\u{0}\u{1F}\u{7F}", #""\u0000\u001f\u007f""#),
            ("é\u{2028}😀", "\"é\\u2028😀\""),
        ]
    )
    func textsAreEscapedAsRFC8259Wants(text: String, expected: String) {
        #expect(JSONText.string(text) == expected)
    }

    @Test func numbersAndTruthValuesKeepTheirType() {
        let value = Logger.MetadataValue.array([
            .stringConvertible(UInt64.max), .stringConvertible(-1), .stringConvertible(0.5),
            .stringConvertible(true), .stringConvertible(Double.nan), .string("1"),
        ])
        #expect(JSONText.value(value) == #"[18446744073709551615,-1,0.5,true,null,"1"]"#)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_305_599_999_999, "2026-11-21T23:59:59.999Z"),
        ] as [(Int64, String)]
    )
    func timesAreUTCWithMilliseconds(microseconds: Int64, expected: String) {
        #expect(UTCTime.text(microseconds: microseconds) == expected)
    }
}

/// An error whose words the test chooses.
struct TestError: Error {}

/// Lines as they were written.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    @Sendable func append(_ line: String) { lines.withLock { $0.append(line) } }
}

extension BatchReport {
    /// A batch of a quarter of a second.
    static let sample = BatchReport(
        batch: 7,
        rows: 10,
        quarantined: 1,
        leftOut: ["keep": 3, "exclude": 0],
        bytes: 2_000,
        plannedAt: 1_795_242_120_000_000,
        finishedAt: 1_795_242_120_250_000,
        offsets: ["/nowhere/a.csv": 2_000],
        lostBytes: 0,
        expectations: [],
        isRedone: false
    )
}

extension ExpectationResult {
    /// Two records of a session are lost.
    static let lost = ExpectationResult(
        name: "session_line_gap",
        rule: "lines of a session have no gap",
        action: .warn,
        checked: 9,
        failed: 2,
        samples: ["session 6b01.1, lines 3 to 4"]
    )
}
