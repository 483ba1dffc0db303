import AuditFormats
import Testing

@Suite struct LogFormatTests {
    private func detect(_ path: String, _ head: String = "") -> LogFormat {
        Array(head.utf8).withUnsafeBytes { LogFormat.detect(path: path, head: $0) }
    }

    @Test(
        arguments: [
            ("a/postgresql-2026-11-21_082336.csv", .csvlog), ("postgresql-Mon.csv", .csvlog),
            ("x.csv.1", .csvlog),
            ("x.csv.2.gz", .csvlog), ("x.csv-20261121.zst", .csvlog), ("x.log.zstd", .collector),
            ("x.csv-20261121-1795000000", .csvlog),
            ("x.JSON", .jsonlog), ("x.json.gz", .jsonlog), ("x.ndjson", .jsonlog), ("b/x.jsonl.10", .jsonlog),
            ("x.log", .collector), ("x.log.1.gz", .collector), ("x.json.log", .collector),
        ] as [(String, LogFormat)]
    )
    func endingNamesTheFormatWhateverTheFileHolds(_ path: String, _ format: LogFormat) {
        #expect(detect(path, "{") == format)
        #expect(detect(path, "2026-11-21 06:22:00.545 UTC,") == format)
    }

    @Test(
        arguments: [
            ("{\"timestamp\":", .jsonlog), ("2026-11-21T08:23:36.329Z {\"timestamp\"", .jsonlog),
            ("2026-11-21T08:23:36Z {", .jsonlog), ("2026-11-21T08:23:36.329Z LOG", .csvlog),
            ("2026-11-21 08:23:36.329 UTC,", .csvlog), ("", .csvlog),
        ] as [(String, LogFormat)]
    )
    func firstBytesTellTheFormatOfOtherNames(_ head: String, _ format: LogFormat) {
        for path in ["000000.gz", "export/0a1b-2c3d/000001", "x.csv/part-1", "audit"] {
            #expect(detect(path, head) == format)
        }
    }
}

@Suite struct CollectorTests {
    @Test func everyLineIsQuarantinedAndNoneIsARecord() throws {
        let lines = [LogRecord().text, "", LogRecord().json, "\r", "07.325 UTC\",\"user\":"]
        let bytes = Array((lines.joined(separator: "\n") + "\n  torn").utf8)
        let decoded = try decode(bytes, format: .collector)
        #expect(decoded.rows.isEmpty)
        #expect(Set(decoded.faults.map(\.reason)) == ["collector_output"])
        #expect(decoded.faults.map(\.raw) == [lines[0] + "\n", lines[2] + "\n", lines[4] + "\n", "  torn"])
        #expect(decoded.consumed == bytes.count)
        #expect(try decode(bytes, isEnd: false, format: .collector).consumed == bytes.count - 6)
    }

    @Test func secretInALineIsBlanked() throws {
        let bytes = Array("STATEMENT:  alter role a password 's3cr3t'\n".utf8)
        let raw = try decode(bytes, format: .collector).faults.map(\.raw)
        #expect(raw == ["STATEMENT:  alter role a password ***\n"])
    }

    @Test func lineWithoutEndGoesWhenItIsLongerThanMayWait() throws {
        let settings = PostgresDecoderSettings.make { $0.maxPendingBytes = 100 }
        let decoded = try decode(
            [UInt8](repeating: 0x61, count: 101),
            settings: settings,
            isEnd: false,
            format: .collector
        )
        #expect(decoded.faults.map(\.range) == [0..<101])
    }
}
