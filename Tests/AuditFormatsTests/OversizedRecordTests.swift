import AuditFormats
import Crypto
import Testing

@Suite struct OversizedRecordTests {
    private static let limit = 1_000
    private static let cut = 64 << 10
    private let settings = PostgresDecoderSettings.make { $0.maxRecordBytes = limit }

    private func sha256(_ text: String?) -> String {
        SHA256.hash(data: Array((text ?? "").utf8)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    @Test func derivedTextsAreCutAndTheRecordIsWhole() throws {
        let long = String(repeating: "é", count: Self.cut)
        var record = LogRecord.error("42601", "x" + long, query: "select \"x\(long)\"")
        record.detail = "\"" + long
        let row = try row(of: record, settings: settings)
        #expect(row["raw"] == record.text)
        #expect(row.extra["truncated"] == sha256(record.text))
        // "x" and 32,767 characters of two bytes: the next one would not fit.
        #expect(row.extra["message"] == String(("x" + long).prefix(Self.cut / 2)))
        #expect(row.extra["detail"] == String(("\"" + long).prefix(Self.cut / 2)))
        #expect(row["statement"] == String("select \"x\(long)".prefix((Self.cut - 9) / 2 + 9)))
        #expect(row["statement"]?.utf8.count == Self.cut - 1)
        #expect(row["user_name"] == "postgres")
    }

    @Test func recordUpToTheLimitIsNotTouched() throws {
        var record = LogRecord(detail: "")
        record.detail = String(repeating: "d", count: Self.limit - record.text.utf8.count)
        #expect(record.text.utf8.count == Self.limit)
        #expect(try row(of: record, settings: settings).extra["truncated"] == nil)
        record.detail?.append("d")
        let row = try row(of: record, settings: settings)
        #expect(row.extra["truncated"] == sha256(record.text))
        #expect(row.extra["detail"] == record.detail, "a text below 64 KiB is not cut")
    }

    @Test func largeRecordHasARowGroupOfItsOwn() throws {
        let large = LogRecord(detail: String(repeating: "d", count: 2_000))
        let small = LogRecord()
        let records = [small, small, large, small, large, large, small]
        let decoded = try decode(records, settings: settings)
        #expect(decoded.rowGroups == [2, 1, 1, 1, 1, 1])
        #expect(decoded.rows.map { $0["raw"] } == records.map(\.text))
    }

    @Test func rowGroupEndsWhenItsBytesAreFull() throws {
        let records = (1...200).map { LogRecord(lineNumber: $0) }
        let decoded = try decode(file(records), rowGroupByteCount: 20_000)
        #expect(decoded.rowGroups.count > 2)
        #expect(decoded.rows.map { $0["raw"] } == records.map(\.text))
        #expect(decoded.rows.map { $0["src"] } == records.map { _ in "primary" })
        #expect(decoded.rows.allSatisfy { $0.extra["node"] == "pg1" })
    }

    @Test func beginningThatWaitsTooLongIsQuarantined() throws {
        let settings = PostgresDecoderSettings.make { $0.maxPendingBytes = 500 }
        let open = Array(LogRecord().text.utf8) + Array(repeating: UInt8(ascii: "1"), count: 600)
        let waiting = try decode(open, isEnd: false)
        #expect(waiting.consumed == 0)
        #expect(waiting.faults.isEmpty)
        let decoded = try decode(open, settings: settings, isEnd: false)
        #expect(decoded.faults.map(\.reason) == ["too_long"])
        #expect(coverageFault(of: decoded, over: open) == nil)
    }
}
