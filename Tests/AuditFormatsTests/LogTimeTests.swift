import Testing

@testable import AuditFormats

@Suite struct LogTimeTests {
    /// Berlin in 2026: CET until 29 March 01:00 UTC, CEST until 25 October 01:00 UTC.
    private static let berlin = LogTimeZone(transitions: [
        .init(instant: .min / 2, offset: 3_600, abbreviation: "CET"),
        .init(instant: 1_774_746_000, offset: 7_200, abbreviation: "CEST"),
        .init(instant: 1_792_890_000, offset: 3_600, abbreviation: "CET"),
    ])

    private func seconds(_ text: String, zone: LogTimeZone = LogTimeZone()) throws -> Double {
        let row = try row(of: LogRecord(time: text), settings: .make { $0.zone = zone })
        return Double(row.eventTime) / 1_000_000
    }

    @Test(arguments: [
        ("2026-11-21 06:22:00.545 UTC", 1_795_242_120.545),
        ("2026-11-21 06:22:00.545 GMT", 1_795_242_120.545),
        ("2026-11-21 09:22:00.545 +03", 1_795_242_120.545),
        ("2026-11-21 02:52:00.545 -03:30", 1_795_242_120.545),
        ("2026-11-21 11:52:00.545 +0530", 1_795_242_120.545),
        ("2026-11-21 06:22:30.545 +00:00:30", 1_795_242_120.545),
        ("2026-11-21 07:22:00.545 CET", 1_795_242_120.545),
        ("2026-11-21 15:22:00.545 JST", 1_795_242_120.545),
        ("1969-12-31 23:59:59.250 UTC", -0.75), ("1900-03-01 00:00:00.000 UTC", -2_203_891_200),
        ("2024-02-29 00:00:00.000 UTC", 1_709_164_800), ("2000-02-29 12:00:00.001 UTC", 951_825_600.001),
        ("0001-01-01 00:00:00.000 UTC", -62_135_596_800),
        ("9999-12-31 23:59:59.999 UTC", 253_402_300_799.999),
    ])
    func timeIsCountedFromTheEpoch(_ text: String, _ expected: Double) throws {
        #expect(try seconds(text) == expected)
    }

    @Test(
        arguments: [
            ("2026-07-01 12:00:00.000 CEST", 1_782_900_000), ("2026-01-01 12:00:00.000 CET", 1_767_265_200),
            // The hour that comes twice, first as CEST.
            ("2026-10-25 02:30:00.000 CEST", 1_792_888_200), ("2026-10-25 02:30:00.000 CET", 1_792_891_800),
            ("2026-10-25 02:00:00.000 CET", 1_792_890_000), ("2026-03-29 03:00:00.000 CEST", 1_774_746_000),
            ("2026-03-29 01:59:59.000 CET", 1_774_745_999), ("2026-11-21 06:22:00.000 UTC", 1_795_242_120),
        ] as [(String, Double)]
    )
    func abbreviationOfTheConfiguredZoneDecides(_ text: String, _ expected: Double) throws {
        #expect(try seconds(text, zone: Self.berlin) == expected)
    }

    @Test func abbreviationOfManyZonesTakesTheConfiguredOne() throws {
        let kolkata = LogTimeZone(transitions: [.init(instant: .min / 2, offset: 19_800, abbreviation: "IST")]
        )
        #expect(try seconds("2026-11-21 11:52:00.000 IST", zone: kolkata) == 1_795_242_120)
    }

    @Test func meaningThatChangedTakesTheOffsetOfItsTime() {
        let moscow = LogTimeZone(transitions: [
            .init(instant: .min / 2, offset: 10_800, abbreviation: "MSK"),
            .init(instant: 1_301_180_400, offset: 14_400, abbreviation: "MSK"),
            .init(instant: 1_414_274_400, offset: 10_800, abbreviation: "MSK"),
        ])
        #expect(moscow.meaning(of: "MSK", localSeconds: 1_300_000_000) == .offset(10_800))
        #expect(moscow.meaning(of: "MSK", localSeconds: 1_350_000_000) == .offset(14_400))
        #expect(moscow.meaning(of: "MSK", localSeconds: 1_450_000_000) == .offset(10_800))
    }

    @Test(arguments: [
        ("CST", LogTimeZone.Meaning.ambiguous), ("IST", .ambiguous), ("EST", .ambiguous), ("XYZ", .unknown),
        ("+5", .unknown), ("+12345", .unknown), ("+1x", .unknown), ("utc", .unknown),
    ])
    func zoneThatTellsNothingEndsTheBatchAtItsRecord(_ zone: String, _ meaning: LogTimeZone.Meaning) throws {
        let first = LogRecord(lineNumber: 1)
        let second = LogRecord(time: "2026-11-21 06:22:00.545 \(zone)", lineNumber: 2)
        let offset = UInt64(first.text.utf8.count + 1)
        let expected = PostgresDecoder.SettingsError(offset: offset, abbreviation: zone, meaning: meaning)
        #expect(throws: expected) { try decode([first, second]) }
    }

    @Test func unknownZoneBesideAKnownOneIsDamage() throws {
        let records = [
            LogRecord(lineNumber: 1),
            LogRecord(
                time: "2026-11-21 06:22:00.545 UtC",
                lineNumber: 2,
                sessionStart: "2026-11-21 06:22:00 UTC"
            ),
            LogRecord(lineNumber: 3),
        ]
        let decoded = try decode(records)
        #expect(decoded.rows.map { $0.extra["session_line_num"] } == ["1", "3"])
        #expect(decoded.faults.map(\.raw) == [records[1].text])
    }

    @Test func abbreviationThatTheConfiguredZoneLacksIsUnknown() throws {
        #expect(throws: PostgresDecoder.SettingsError.self) {
            try seconds("2026-11-21 06:22:00.545 JST", zone: Self.berlin)
        }
    }

    @Test(arguments: [
        "2026-02-29 00:00:00.000 UTC", "1900-02-29 00:00:00.000 UTC", "2026-13-01 00:00:00.000 UTC",
        "2026-00-01 00:00:00.000 UTC", "2026-04-31 00:00:00.000 UTC", "2026-04-00 00:00:00.000 UTC",
        "2026-04-01 24:00:00.000 UTC", "2026-04-01 00:60:00.000 UTC", "2026-04-01 00:00:61.000 UTC",
        "0000-01-01 00:00:00.000 UTC", "2026-11-21 06:22:00.545 ",
    ])
    func timeThatNeverWasIsQuarantined(_ text: String) throws {
        let records = [
            LogRecord(lineNumber: 1), LogRecord(time: text, lineNumber: 2), LogRecord(lineNumber: 3),
        ]
        let decoded = try decode(records)
        #expect(decoded.rows.map { $0.extra["session_line_num"] } == ["1", "3"])
        #expect(decoded.faults.map(\.reason) == ["timestamp"])
        #expect(decoded.faults.map(\.raw) == [records[1].text])
        #expect(coverageFault(of: decoded, over: file(records)) == nil)
    }

    @Test func secondThatIsRememberedDoesNotHideAnother() throws {
        let times = [
            "2026-11-21 06:22:00.545 UTC", "2026-11-21 06:22:00.546 UTC", "2026-11-21 06:22:00.546 CET",
            "2026-11-21 06:22:01.546 CET", "2026-11-22 06:22:01.546 CET",
        ]
        let rows = try decode(times.map { LogRecord(time: $0) }).rows
        let first = rows[0].eventTime
        #expect(rows.map { ($0.eventTime - first) / 1_000 } == [0, 1, -3_599_999, -3_598_999, 82_801_001])
    }
}
