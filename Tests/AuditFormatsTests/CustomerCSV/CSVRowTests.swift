import AuditFormats
import Columnar
import Testing

/// What records become: columns, types, names, days.
@Suite struct CSVRowTests {
    static let text = """
        Customer_ID;Event_Time ;user;n;ratio;ok;id;-odd name
        c1;2026-11-21T10:00:00.123Z;anna;1;1.5;true;00123;x
        c2;2026-11-20 23:59:59+01:00;"b;""q""
        r";-7;2;FALSE;4;
        """

    @Test func recordsBecomeRowsOfTheirDays() {
        let decoded = decodeCSV([CSVFile(Self.text, source: "c/x.csv")]) { $0.customerColumn = "customer_id" }
        #expect(
            decoded.shape == [
                "event_time timestamp", "user text", "n integer", "ratio double", "ok boolean", "id text",
                "_odd%20name text",
            ]
        )
        #expect(decoded.days.keys.sorted() == [20_777, 20_778])
        let row = decoded.days[20_778]?.first ?? [:]
        #expect(row["customer"] == .text("c1"))
        #expect(row["event_time"] == .number(1_795_255_200_123_000))
        #expect(row["ratio"] == .decimal(1.5))
        #expect(row["ok"] == .flag(true))
        #expect(row["id"] == .text("00123"))
        #expect(row["source"] == .text("c/x.csv"))
        #expect(row["source_offset"] == .number(53))
        #expect(row["ingest_ts"] == .number(ingestTimeOfEvents))
        let other = decoded.days[20_777]?.first ?? [:]
        #expect(other["user"] == .text("b;\"q\"\nr"))
        #expect(other["event_time"] == .number(1_795_215_599_000_000))
        #expect(other["n"] == .number(-7))
        #expect(other["ratio"] == .decimal(2))
        #expect(other["ok"] == .flag(false))
        #expect(other["_odd%20name"] == nil)
    }
}
