import AuditFormats
import Testing

/// Masked values are nowhere in what comes out.
@Suite struct CSVMaskTests {
    private static let secret = "SECRET"
    private static let text = """
        event_time,user,ip,n,note,ip,tenant
        2026-11-21T10:00:00Z,SECRETuser,SECRET1,1,é😀SECRET,SECRET2,SECRETtenant
        2026-11-21T10:00:01Z,SECRETuser,,SECRETx,,,t
        SECRET ragged
        2026-11-21T10:00:02Z,"SECRET"x,3,4,5,6,7
        2026-11-21T10:00:03Z,"SECRET never closed,3,4,5,6,7

        """

    private func decoded(_ bytes: [UInt8], columns: [CSVColumn] = [], limit: Int = 1 << 20) -> DecodedCSV {
        decodeCSV([CSVFile(bytes)], columns: columns) {
            $0.masks = [
                "User": .hash, "ip": .drop, "note": .truncate(2), "n": .hash, "tenant": .hash,
            ]
            $0.maskKey = Array("key".utf8)
            $0.customerColumn = "tenant"
            $0.maxRecordBytes = limit
        }
    }

    @Test func nothingOfAMaskedValueComesOut() {
        let known = [CSVColumn(name: "n", column: "n", type: .integer)]
        let bytes = Array(Self.text.utf8)
        let latin1 = bytes + [0x53, 0x45, 0x43, 0x52, 0x45, 0x54, 0xE9] + Array(",2,3,4,5,6,7\n".utf8)
        for input in [bytes, latin1, Array("SECRET,\"SECRET\"x\n".utf8)] {
            for columns in [[], known] {
                for limit in [1 << 20, 60] {
                    let decoded = decoded(input, columns: columns, limit: limit)
                    #expect(!decoded.quarantine.isEmpty)
                    #expect(!decoded.texts.contains(Self.secret))
                    #expect(decoded.quarantine.allSatisfy { $0["raw"] == .text("***") })
                }
            }
        }
    }

    @Test func masksLeaveWhatTheySay() {
        let decoded = decoded(Array(Self.text.utf8))
        #expect(decoded.shape == ["event_time timestamp", "user text", "n text", "note text"])
        let row = decoded.rows.first ?? [:]
        // hmac.new(b"key", b"SECRETuser", "sha256").hexdigest()[:32], by Python.
        #expect(row["user"] == .text("1ebf7c33f893cdd735ec8be3956c3b40"))
        #expect(row["note"] == .text("é😀"))
        #expect(row["customer"] == .text("eb83e1174cc9afb5518e81b99906a24b"))
        #expect(decoded.rows[1]["user"] == row["user"])
        #expect(decoded.rows[1]["note"] == nil)
    }

    @Test func aColumnThatWasNoTextGetsItsMaskedValuesRescued() {
        let known = [CSVColumn(name: "n", column: "n", type: .integer)]
        let decoded = decoded(Array(Self.text.utf8), columns: known)
        #expect(decoded.rows.allSatisfy { $0["n"] == nil && $0["_rescued"] != nil })
    }

    /// Of a plain hash anybody could find a dropped address by trying all.
    @Test func idsAreKeyedWithMasks() {
        let plain = decodeCSV("ip\n10.0.0.1\n").column("event_id")
        func masked(_ key: String) -> [Cell?] {
            decodeCSV([CSVFile("ip\n10.0.0.1\n")]) {
                $0.masks = ["ip": .drop]
                $0.maskKey = Array(key.utf8)
            }.column("event_id")
        }
        #expect(masked("a") != plain)
        #expect(masked("a") != masked("b"))
        #expect(masked("a") == masked("a"))
    }

    @Test func theDayOfAMaskedTimeIsNotTold() {
        let decoded = decodeCSV("event_time,a\n2026-01-01T00:00:00Z,1\n") {
            $0.masks = ["event_time": .truncate(4)]
            $0.maskKey = [1]
        }
        #expect(Array(decoded.days.keys) == [20_778])
        #expect(decoded.rows.first?["event_time"] == .text("2026"))
        #expect(decoded.totals.undatedRowCount == 1)
    }
}
