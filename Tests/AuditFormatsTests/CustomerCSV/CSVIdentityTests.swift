import AuditFormats
import SeededRandom
import Testing

/// Which records are one and the same.
@Suite struct CSVIdentityTests {
    private func ids(_ decoded: DecodedCSV) -> [String] {
        decoded.column("event_id").map { if case .text(let id)? = $0 { id } else { "none" } }
    }

    /// By Python: `hashlib.sha256` of the pairs a=1, b=200 times x, customer=acme, each behind its length in LEB128.
    private static let first = "3593cf630b9ba0ade75b91a41772d4e0"
    /// By Python: `sha256` of its first 16 bytes and `(1).to_bytes(8, "big")`.
    private static let second = "98d2dbd02bf5109e0cdc9489e9110315"

    @Test func anIDIsAHashOfTheSortedPairs() {
        let long = String(repeating: "x", count: 200)
        let texts = ["a,b\n1,\(long)\n", "B;z;A\n\(long);;1\n", "customer,b,\"a\"\nacme,\"\(long)\",1"]
        for (text, column) in zip(texts, [nil, nil, "customer"]) {
            let decoded = decodeCSV([CSVFile(text, customer: column == nil ? "acme" : nil)]) {
                $0.customerColumn = column
            }
            #expect(ids(decoded) == [Self.first])
        }
    }

    @Test func equalRecordsOfAFileAreNumbered() {
        let record = "1,\(String(repeating: "x", count: 200))\n"
        let file = CSVFile("a,b\n\(record)2,y\n\(record)", customer: "acme")
        let decoded = decodeCSV([file])
        #expect(ids(decoded)[0] == Self.first)
        #expect(ids(decoded)[2] == Self.second)
        #expect(Set(ids(decoded)).count == 3)
        // The same file, and one with a third record.
        let more = CSVFile("a,b\n\(record)\(record)\(record)", source: "b.csv", customer: "acme")
        let all = decodeCSV([file, file, more])
        #expect(all.totals.rowCount == 4)
        #expect(all.totals.duplicateCount == 5)
        #expect(Set(ids(all)).count == 4)
    }

    @Test func neitherBordersOfTextsNorEmptyOnesCount() {
        #expect(Set(ids(decodeCSV("a,b\nab,c\na,bc\nabc,\n,abc\n"))).count == 4)
        // What looks like the next pair inside a text is none.
        #expect(Set(ids(decodeCSV("a,b\nx\u{1}b\u{1}c,\nx\u{1}bc,\nx,c\n"))).count == 3)
        #expect(ids(decodeCSV("a,b\n1,\n")) == ids(decodeCSV("a\n1\n")))
        #expect(ids(decodeCSV([CSVFile("a\n1\n", customer: "x")])) != ids(decodeCSV("a\n1\n")))
    }

    @Test func excludedColumnsDoNotCount() {
        let one = decodeCSV("uuid,a\n111,x\n") { $0.excluded = [" UUID"] }
        let other = decodeCSV("a,uuid\nx,222\n") { $0.excluded = ["uuid"] }
        #expect(ids(one) == ids(other))
        #expect(one.rows.first?["uuid"] == .number(111))
        // Of two equal records of a file none is lost, also when they lie on different days.
        let days = decodeCSV("event_time,a\n2026-01-01T00:00:00Z,x\n2026-01-02T00:00:00Z,x\n") {
            $0.excluded = ["event_time"]
        }
        #expect(Set(ids(days)).count == 2)
    }

    @Test func recordsThatTheIndexKnowsBecomeNoRows() {
        let text = "event_time,a\n2026-11-20T10:00:00Z,1\n2026-11-21T10:00:00Z,2\n,3\nno time,4\n"
        let all = decodeCSV(text)
        #expect(all.askedDays == [20_777, 20_778, nil])
        #expect(all.totals.undatedRowCount == 2)
        let index = EventIndex()
        for (row, day) in zip(all.rows, [20_777, 20_778, nil] as [Int32?]) {
            if case .text(var id)? = row["event_id"] {
                id.withUTF8 { text in
                    let isID = index.load(UnsafeRawBufferPointer(text), day: day)
                    #expect(isID)
                }
            }
        }
        let again = decodeCSV([CSVFile(text)], index: index)
        #expect(again.askedDays.isEmpty)
        #expect(again.totals.duplicateCount == 3)
        #expect(again.column("a") == [.number(4)])
        #expect(index.count == 4)
        index.evict(20_777)
        #expect(index.knownDays == [20_778] && !index.isKnown(20_777) && index.isKnown(nil))
        index.evict(nil)
        #expect(!index.isKnown(nil) && index.count == 1)
    }

    @Test func textsThatAreNoIDsAreRefused() {
        let index = EventIndex()
        for text in ["", "3593cf630b9ba0ade75b91a41772d4e", "3593cf630b9ba0ade75b91a41772d4eg"] {
            var text = text
            text.withUTF8 { text in
                let isID = index.load(UnsafeRawBufferPointer(text), day: 1)
                #expect(!isID)
            }
        }
    }

    @Test func anIndexHoldsManyIDsInLittleRoom() {
        let index = EventIndex()
        var random = SeededGenerator(seed: 3)
        let ids = (0..<50_000).map { _ in
            let text = String(random.next(), radix: 16) + String(random.next(), radix: 16)
            return Array((String(repeating: "0", count: 32 - text.count) + text).utf8)
        }
        for _ in 0..<2 { for id in ids { id.withUnsafeBytes { _ = index.load($0, day: 5) } } }
        #expect(index.count == ids.count)
        #expect(index.byteCount <= ids.count * 26)
    }

    @Test func withoutDeduplicationNoDayIsAskedFor() {
        let file = CSVFile("event_time,a\n2026-11-20T10:00:00Z,1\n")
        let decoded = decodeCSV([file, file]) { $0.deduplicates = false }
        #expect(decoded.askedDays.isEmpty)
        #expect(decoded.totals.rowCount == 2)
        #expect(Set(ids(decoded)).count == 1)
    }

    @Test func recordsOfEarlierBatchesCountOnlyAmongEqualOnes() {
        let text = "a,b\n1,x\n\n1,x\n1,x\n2,y\n"
        let whole = decodeCSV(text)
        // From the third equal record on.
        let rest = decodeCSV([CSVFile(text, from: 13)], window: 3)
        #expect(ids(rest) == Array(ids(whole).suffix(2)))
        #expect(rest.totals.rowCount == 2 && rest.totals.blankLineCount == 0)
        #expect(rest.column("source_offset") == [.number(13), .number(17)])
        // Types are inferred from what is new.
        #expect(decodeCSV([CSVFile("a\nx\n1\n", from: 4)]).shape == ["a integer"])
    }
}
