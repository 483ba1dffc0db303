import AuditFormats
import Testing

/// How a file's columns are found and named, and how its records are told apart.
@Suite struct CSVHeaderTests {
    @Test(arguments: [
        ("a,b\n1,2\n", ["a", "b"]),
        ("\u{FEFF}a,b\n1,2\n", ["a", "b"]),
        (" A ,\"B\tc\"\n1,2\n", ["a", "b\tc"]),
        ("a,,a,A,a_2\n1,2,3,4,5\n", ["a", "column_2", "a_3", "a_4", "a_2"]),
        ("\n\r\na;b\n1;2\n", ["a", "b"]),
        ("a|\"b,c,d\"\n1|2\n", ["a", "b,c,d"]),
        ("a\tb;c\td\n1\t2\t3\n", ["a", "b;c", "d"]),
        ("a,b;c\n1,2\n", ["a", "b;c"]),
        ("only\n1\n", ["only"]),
        ("größe,Ärger\n1,2\n", ["größe", "Ärger"]),
    ])
    func columnsAreNamedByTheHeader(_ text: String, _ names: [String]) {
        let decoded = decodeCSV(text)
        #expect(decoded.columns.map(\.name) == names)
        #expect(decoded.totals.rowCount == 1)
        #expect(decoded.quarantine.isEmpty)
    }

    @Test func namesInTheTableAreSafeAndUnlikeEachOther() {
        let decoded = decodeCSV("Date,EVENT_ID,source,a b,a%20b,null,customer\n1,2,3,4,5,6,7\n")
        #expect(
            decoded.columns.map(\.column)
                == ["date_2", "event_id_2", "source_2", "a%20b", "a%2520b", "null_2", "customer_2"]
        )
    }

    @Test func columnsOfFilesMeetByTheirNames() {
        let decoded = decodeCSV([
            CSVFile("a,b\n1,x\n"), CSVFile("B;c;A\ny;true;2\n", source: "b.csv"), CSVFile("c\n"),
        ])
        #expect(decoded.shape == ["a integer", "b text", "c boolean"])
        #expect(decoded.column("a") == [.number(1), .number(2)])
        #expect(decoded.column("b") == [.text("x"), .text("y")])
        #expect(decoded.column("c") == [nil, .flag(true)])
    }

    @Test func columnsThatAreKnownKeepTheirNamesAndTypes() {
        let known = [
            CSVColumn(name: "a b", column: "old", type: .text),
            CSVColumn(name: "n", column: "n_7", type: .integer),
        ]
        let decoded = decodeCSV([CSVFile("n,a b,old\nx,1,2\n")], columns: known)
        #expect(decoded.shape == ["old text", "n_7 integer", "old_2 integer"])
        #expect(decoded.rows.first?["old"] == .text("1"))
        #expect(decoded.rows.first?["_rescued"] == .pairs(["n_7": .text("x")]))
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func linesEndAsTheHeaderDoes(_ end: String) {
        let text = ["a,b", "1,\"x\r\ny\rz\n\"", "", "2,\"y\"", "3,z"].joined(separator: end)
        for tail in ["", end] {
            let decoded = decodeCSV(text + tail)
            #expect(decoded.column("a") == [.number(1), .number(2), .number(3)])
            #expect(decoded.column("b") == [.text("x\r\ny\rz\n"), .text("y"), .text("z")])
            #expect(decoded.totals.blankLineCount == 1)
        }
    }

    @Test func aLoneCarriageReturnIsTextUnlessTheHeaderEndsSo() {
        #expect(decodeCSV("a,b\nx\ry,1\n").column("a") == [.text("x\ry")])
        #expect(decodeCSV("a,b\r\nx\ry,1\r\n").column("a") == [.text("x\ry")])
        #expect(decodeCSV("a,b\rx,1\ry,2\nz,3\r\n").column("a") == [.text("x"), .text("y"), .text("z")])
    }

    @Test func quotesInsideAFieldWithoutQuotesAreText() {
        let decoded = decodeCSV("a,b\n5\" pipe,x\"y\"\"z\n")
        #expect(decoded.rows.first?["a"] == .text("5\" pipe"))
        #expect(decoded.rows.first?["b"] == .text("x\"y\"\"z"))
    }

    @Test func theCustomerIsThatOfTheRecordElseOfThePath() {
        let text = "Tenant,a,customer\nt1,1,x\n,2,y\n"
        let decoded = decodeCSV([CSVFile(text, customer: "path")]) { $0.customerColumn = " tenant" }
        #expect(decoded.column("customer") == [.text("t1"), .text("path")])
        #expect(decoded.column("customer_2") == [.text("x"), .text("y")])
        #expect(decoded.columns.map(\.name) == ["a", "customer_2"])
        #expect(decodeCSV("a\n1\n").rows.first?["customer"] == nil)
    }

    @Test func columnsStandBetweenThoseOfEveryTable() {
        let fields = CustomerCSVDecoder.tableColumns([
            CSVColumn(name: "x", column: "x", type: .double)
        ])
        #expect(
            fields.map(\.name) == [
                "customer", "event_id", "x", "_rescued", "source", "source_offset", "ingest_ts",
            ]
        )
        #expect(
            fields[2].type == .double
                && fields.filter { !$0.isNullable }.map(\.name) == ["event_id", "ingest_ts"]
        )
    }

    @Test func separatorsMayBeGiven() {
        let decoded = decodeCSV("a:b,c\n1:2\n") { $0.separator = UInt8(ascii: ":") }
        #expect(decoded.columns.map(\.name) == ["a", "b,c"])
    }

    @Test(arguments: [
        ([0xFF, 0xFE, 0x61, 0x00, 0x2C, 0x00, 0x0A, 0x00, 0x31, 0x00], "no text in UTF-8"),
        (Array("a,\"b\"c\n1,2\n".utf8), "closing quote of field 2"),
        (Array(",,\n1,2,3\n".utf8), "names no column"),
        (Array("a,\"b\n1,2\n".utf8), "inside the quotes of field 2"),
        (Array(String(repeating: "a,", count: 5_000).utf8), "5001 columns"),
        (Array(String(repeating: "a", count: 200).utf8), "longer than 100 bytes"),
    ])
    func aFileWithoutAHeaderIsNotRead(_ bytes: [UInt8], _ reason: String) {
        for window in [bytes.count, 1, 7] where window > 1 || bytes.count < 1_000 {
            let decoded = decodeCSV([CSVFile(bytes)], window: window) {
                if bytes.count == 200 { $0.maxRecordBytes = 100 }
            }
            #expect(decoded.rows.isEmpty)
            #expect(decoded.reasons == [.text("unusable_header")])
            guard case .text(let detail)? = decoded.quarantine.first?["detail"],
                case .number(let length)? = decoded.quarantine.first?["length"]
            else {
                Issue.record("no detail")
                return
            }
            #expect(detail.contains(reason))
            #expect(Int(length) + decoded.totals.unreadByteCount == bytes.count)
        }
    }

    @Test(arguments: ["", "\u{FEFF}", "\n\n", "a,b", "a,b\n", "a,b\r\n\r\n"])
    func filesWithoutRecordsAreNoFault(_ text: String) {
        let decoded = decodeCSV(text)
        #expect(decoded.rows.isEmpty && decoded.quarantine.isEmpty && decoded.columns.isEmpty)
    }
}
