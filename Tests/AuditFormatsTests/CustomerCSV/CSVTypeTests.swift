import AuditFormats
import Testing

/// What values are read as.
@Suite struct CSVTypeTests {
    private func value(_ text: String, as type: String) throws -> Cell? {
        let type = try CSVColumnType(type)
        let decoded = decodeCSV("x\n\"\(text)\"\n") { $0.declared = ["X": type] }
        let row = try #require(decoded.rows.first)
        #expect((row["x"] == nil) == (row["_rescued"] == .pairs(["x": .text(text)])))
        #expect(decoded.totals.rescuedValueCount == (row["x"] == nil ? 1 : 0))
        return row["x"]
    }

    /// Expectations by Python's `datetime.strptime`, in microseconds.
    @Test(arguments: [
        ("timestamp", "2026-11-21T10:00:00.123456Z", 1_795_255_200_123_456),
        ("timestamp", "2026-11-21 10:00+01:30", 1_795_249_800_000_000),
        ("timestamp", "2026-11-21", 1_795_219_200_000_000),
        ("timestamp", "1969-12-31T23:59:59.5Z", -500_000),
        ("timestamp", "2026-11-21T10:00:00.1234567Z", nil),
        ("timestamp", "2026-02-29T10:00:00Z", nil),
        ("timestamp", "2026-11-21T10:00:60Z", nil),
        ("timestamp", "2026-11-21T10:00:00.Z", nil),
        ("timestamp", "2026-11-21T10:00:00+24:00", nil),
        ("timestamp", "9999-12-31T23:59:59.999999-00:01", nil),
        ("timestamp:%d/%m/%Y %H:%M:%S", "21/11/2026 10:00:00", 1_795_255_200_000_000),
        ("timestamp:%d/%m/%Y %H:%M:%S", "1/2/2026 3:04:05", 1_769_915_045_000_000),
        ("timestamp:%d/%m/%Y %H:%M:%S", "11/21/2026 10:00:00", nil),
        ("timestamp:%m/%d/%y %I:%M %p", "11/21/26 12:30 AM", 1_795_221_000_000_000),
        ("timestamp:%m/%d/%y %I:%M %p", "11/21/26 12:30 pm", 1_795_264_200_000_000),
        ("timestamp:%m/%d/%y %I:%M %p", "11/21/69 01:00 PM", -3_495_600_000_000),
        ("timestamp:%m/%d/%y %I:%M %p", "11/21/26 13:30 PM", nil),
        ("timestamp:%d/%b/%Y:%T %z", "21/Nov/2026:10:00:00 +0200", 1_795_248_000_000_000),
        ("timestamp:%b %d %Y %T.%f %Z", "NOV 21 2026 10:00:00.25 UTC", 1_795_255_200_250_000),
        ("timestamp:%b %d %Y %T.%f %Z", "NOV 21 2026 10:00:00.25 CET", nil),
        ("timestamp:%Y%m%d%%", "20261121%", 1_795_219_200_000_000),
        ("timestamp:epoch_s", "1795255200", 1_795_255_200_000_000),
        ("timestamp:epoch_s", "1795255200.5", 1_795_255_200_500_000),
        ("timestamp:epoch_ms", "1795255200123", 1_795_255_200_123_000),
        ("timestamp:epoch_us", "-1", -1),
        ("timestamp:epoch_us", "1.5", nil),
        ("timestamp:epoch_ms", "9223372036854775807", nil),
        ("integer", "9223372036854775807", .max), ("integer", "-9223372036854775808", .min),
        ("integer", "0", 0), ("integer", "9223372036854775808", nil), ("integer", "007", nil),
        ("integer", "-0", nil), ("integer", "1.0", nil), ("integer", " 1", nil),
        ("integer", "-", nil), ("integer", "99999999999999999999999", nil),
    ])
    func wholeNumbersAndTimes(_ type: String, _ text: String, _ expected: Int64?) throws {
        #expect(try value(text, as: type) == expected.map { .number($0) })
    }

    @Test(arguments: [
        ("1.5", 1.5), ("-0.1", -0.1), ("2e3", 2_000), ("1E-7", 1e-7), ("12", 12),
        ("123456789.123456789", 123_456_789.123456789), ("1.7976931348623157e308", .greatestFiniteMagnitude),
        ("0.30000000000000004", 0.30000000000000004), ("4.9e-324", .leastNonzeroMagnitude),
        ("1e999", nil), ("1.", nil), (".5", nil), ("0x10", nil), ("nan", nil), ("01.5", nil), ("1e", nil),
        ("+1.5", nil), ("1,5", nil),
    ])
    func decimalNumbers(_ text: String, _ expected: Double?) throws {
        #expect(try value(text, as: "double") == expected.map { .decimal($0) })
    }

    @Test(arguments: [("TRUE", true), ("False", false), ("yes", nil), ("truE ", nil), ("t", nil)])
    func truthValues(_ text: String, _ expected: Bool?) throws {
        #expect(try value(text, as: "boolean") == expected.map { .flag($0) })
    }

    @Test(arguments: [
        "int", "timestamp:", "timestamp:%d/%m", "timestamp:%Y-%m-%d %I", "timestamp:%Y-%m-%d %q",
        "timestamp:%",
    ])
    func unknownTypesAreRefused(_ name: String) {
        #expect(throws: UnknownCSVType.self) { try CSVColumnType(name) }
    }

    @Test(arguments: [
        "text", "integer", "double", "boolean", "timestamp", "timestamp:%d/%m/%Y %T", "timestamp:epoch_ms",
    ])
    func typesAreStoredByTheirNames(_ name: String) throws {
        #expect(try CSVColumnType(name).name == name)
    }

    @Test func eventTimesTakeTheDeclaredFormat() throws {
        let type = try CSVColumnType("timestamp:epoch_ms")
        let decoded = decodeCSV("at,timestamp\n1795255200123,2020-01-01T00:00:00Z\nx,\n") {
            $0.eventTimeColumn = "At"
            $0.declared = ["at": type]
        }
        #expect(decoded.shape == ["at timestamp:epoch_ms", "timestamp timestamp"])
        #expect(decoded.totals.undatedRowCount == 1)
        #expect(decoded.rows.map { $0["at"] } == [.number(1_795_255_200_123_000), nil])
        #expect(decoded.rows[1]["_rescued"] == .pairs(["at": .text("x")]))
    }

    @Test func anEventTimeWithNanosecondsIsCutAndKept() {
        let text = "2026-11-21T10:00:00.123456789Z"
        let row = decodeCSV("event_time\n\(text)\n").rows.first
        #expect(row?["event_time"] == .number(1_795_255_200_123_456))
        #expect(row?["_rescued"] == .pairs(["event_time": .text(text)]))
    }

    @Test func theEventTimeMayStandInAColumnOfAnotherType() {
        let known = [CSVColumn(name: "timestamp", column: "timestamp", type: .text)]
        let decoded = decodeCSV([CSVFile("timestamp\n2026-11-20T10:00:00Z\n")], columns: known)
        #expect(decoded.days[20_777]?.first?["timestamp"] == .text("2026-11-20T10:00:00Z"))
    }
}
