import BatchProtocol
import Foundation
import Testing

/// The objects that a later release must still read: a change here is a new format.
@Suite struct StoredFormatTests {
    private static let plan = {
        var file = Sample.file()
        file.format = "jsonlog"
        file.readAt = 1_795_251_817_000_001
        var plan = BatchPlan(
            pipeline: "pg_primary",
            appID: "5f0c4b1e-9d5c-4a6e-a1b2-0123456789ab",
            batch: 18_446_744_073_709_551_615,
            plannedAt: 1_795_251_817_000_001,
            parserVersion: 3,
            stateSnapshot: 64,
            ranges: [SourceRange(file: file, from: 12, hash: "00ff")],
            tables: [PlannedTable(name: "main.pg.log", tableID: "id-1", rows: 9)]
        )
        plan.forgotten = ["1-7"]
        plan.stateChanges = [StateChange(key: "a", value: "1"), StateChange(key: "b", value: nil)]
        plan.expectations = [
            ExpectationResult(
                name: "session_line_gap",
                rule: "no line is missing",
                action: .warn,
                checked: 10,
                failed: 1,
                samples: ["6b01.7c2: 3 to 5"]
            )
        ]
        return plan
    }()
    private static let planText = """
        {"appID":"5f0c4b1e-9d5c-4a6e-a1b2-0123456789ab","batch":18446744073709551615,"expectations":[{"action":"warn",\
        "checked":10,"failed":1,"name":"session_line_gap","rule":"no line is missing","samples":["6b01.7c2: 3 to 5"]}],\
        "forgotten":["1-7"],"format":3,"parserVersion":3,\
        "pipeline":"pg_primary","plannedAt":1795251817000001,"ranges":[{"file":{"format":"jsonlog","headByteCount":100,\
        "headHash":"0a","host":"pg1","id":"1-0","inode":42,"offset":100,"path":"/log/a.csv","readAt":1795251817000001,\
        "tailByteCount":90,"tailHash":"0b"},"from":12,"hash":"00ff"}],"stateChanges":[{"key":"a","value":"1"},\
        {"key":"b"}],"stateSnapshot":64,"tables":[{"name":"main.pg.log","rows":9,"tableID":"id-1"}]}
        """
    /// As it was written before there were objects.
    private static let planTextOfFormat2 = planText.replacingOccurrences(
        of: #""format":3"#,
        with: #""format":2"#
    )
    /// As the first release wrote it.
    private static let planTextOfFormat1 = """
        {"appID":"5f0c4b1e-9d5c-4a6e-a1b2-0123456789ab","batch":18446744073709551615,"format":1,"parserVersion":3,\
        "pipeline":"pg_primary","plannedAt":1795251817000001,"ranges":[{"file":{"headByteCount":100,"headHash":"0a",\
        "host":"pg1","id":"1-0","inode":42,"offset":100,"path":"/log/a.csv","tailByteCount":90,"tailHash":"0b"},\
        "from":12,"hash":"00ff"}],"stateSnapshot":64,"tables":[{"name":"main.pg.log","rows":9,"tableID":"id-1"}]}
        """

    private static let receipt = BatchReceipt(
        batch: 65,
        parserVersion: 3,
        tables: [
            TableReceipt(name: "main.pg.log", rows: 9_007_199_254_740_993, version: 12, lastBatch: 65),
            TableReceipt(name: "main.pg.quarantine", rows: 0, version: 0, lastBatch: 0),
        ],
        bytes: 88,
        gaps: [SourceGap(path: "/log/a.csv", from: 3, to: 5)]
    )
    private static let receiptText = """
        {"batch":65,"bytes":88,"format":3,"gaps":[{"from":3,"path":"/log/a.csv","to":5}],"parserVersion":3,"tables":[\
        {"lastBatch":65,"name":"main.pg.log","rows":9007199254740993,"version":12},\
        {"lastBatch":0,"name":"main.pg.quarantine","rows":0,"version":0}]}
        """

    private static let state = ShardState(files: [Sample.file()], values: ["a": "1"])
    private static let stateText = """
        {"files":[{"headByteCount":100,"headHash":"0a","host":"pg1","id":"1-0","inode":42,"offset":100,\
        "path":"/log/a.csv","tailByteCount":90,"tailHash":"0b"}],"values":{"a":"1"}}
        """
    private static let stateTextOfFormat1 = #"{"files":[]}"#

    private static let object = ObjectRange(
        key: "/drop/workspaceId=0/date=2026-11-21/auditlogs_1.json",
        version: "1795251817000000001-88-42",
        byteCount: 88,
        modified: 1_795_251_817_000_000,
        from: 12,
        to: 88,
        hash: "00000000000000000000000000000001",
        chain: "0000000000000000000000000000000f",
        rest: "fedcba98765432100123456789abcdef",
        isWhole: true
    )
    private static let objectText = """
        {"byteCount":88,"chain":"0000000000000000000000000000000f","from":12,\
        "hash":"00000000000000000000000000000001","isCorrection":false,"isWhole":true,\
        "key":"/drop/workspaceId=0/date=2026-11-21/auditlogs_1.json","modified":1795251817000000,\
        "rest":"fedcba98765432100123456789abcdef","to":88,"version":"1795251817000000001-88-42"}
        """
    /// What says which layout it is, then eight words: the key's XXH3 of 128 bits, 48 bits of the version's of 64 bits (both as
    /// xxHash 0.8 gives them) below the day of the last change, then what the range says.
    private static let ledgerText = """
        AAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAANDQ7pFCQ3zBCp0CJ9z4Tck811ZTUS4qUVgA\
        AAAAAAAAAAAAAAAAAAAPAAAAAAAAABAyVHaYutz+782riWdFIwE=
        """
    /// The same as it was written before there were days: eight words.
    private static let ledgerTextWithoutDays = """
        0NDukUJDfMEKnQIn3PhNyTzXVlNRLsd0WAAAAAAAAAAAAAAAAAAAAA8AAAAA\
        AAAAEDJUdpi63P7vzauJZ0UjAQ==
        """

    private func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func value<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    @Test("plan, receipt and state are written as format 3 says")
    func written() throws {
        #expect(try text(Self.plan) == Self.planText)
        #expect(try text(Self.receipt) == Self.receiptText)
        #expect(try text(Self.state) == Self.stateText)
    }

    @Test("plan, receipt and state of format 3 are read")
    func read() throws {
        #expect(try value(Self.planText) == Self.plan)
        #expect(try value(Self.receiptText) == Self.receipt)
        #expect(try value(Self.stateText) == Self.state)
    }

    @Test("a plan of format 2 is read: there were no objects")
    func readFormat2() throws {
        var expected = Self.plan
        expected.format = 2
        #expect(try value(Self.planTextOfFormat2) == expected)
    }

    @Test("a plan of objects is written and read")
    func planOfObjects() throws {
        var plan = Self.plan
        plan.objects = [Self.object]
        let expected = Self.planText.replacingOccurrences(
            of: #""parserVersion""#,
            with: #""objects":[\#(Self.objectText)],"parserVersion""#
        )
        #expect(try text(plan) == expected)
        #expect(try value(expected) == plan)
    }

    @Test("a state with objects is written and read")
    func stateOfObjects() throws {
        var state = Self.state
        var plan = Sample.plan(1)
        plan.objects = [Self.object]
        state.apply(plan)
        let expected = Self.stateText.replacingOccurrences(
            of: #""values""#,
            with: #""objects":"\#(Self.ledgerText)","values""#
        )
        #expect(try text(state) == expected)
        #expect(try value(expected) == state)
    }

    @Test("a ledger without days is read, and nothing of it is ever forgotten")
    func ledgerWithoutDays() throws {
        let text = #"{"files":[],"objects":"\#(Self.ledgerTextWithoutDays)","values":{}}"#
        var state = try value(text) as ShardState
        var expected = ObjectLedger()
        expected.apply(Self.object)
        #expect(state.objects.find(Self.object.key) == expected.find(Self.object.key))
        var plan = Sample.plan(2)
        plan.firstDay = 60_000
        state.apply(plan)
        #expect(state.objects.count == 1 && state.objects.newestDay == 0)
    }

    @Test("a plan that forgets objects is written and read, and so is the state after it")
    func forgettingPlan() throws {
        var plan = Self.plan
        plan.firstDay = 20_700
        let expected = Self.planText.replacingOccurrences(
            of: #""forgotten""#,
            with: #""firstDay":20700,"forgotten""#
        )
        #expect(try text(plan) == expected)
        #expect(try value(expected) == plan)
        var state = ShardState()
        state.apply(plan)
        #expect(state.objects.firstDay == 20_700 && state.objects.count == 0)
        #expect(try value(text(state)) == state)
    }

    @Test(
        "a state whose ledger is cut is refused",
        arguments: ["AAAA", "no base64", String(ledgerText.dropLast(4))]
    )
    func cutLedger(ledger: String) {
        #expect(throws: DecodingError.self) {
            try value(#"{"files":[],"objects":"\#(ledger)","values":{}}"#) as ShardState
        }
    }

    @Test("plan and state of format 1 are read: nothing was kept in mind then")
    func readFormat1() throws {
        let plan: BatchPlan = try value(Self.planTextOfFormat1)
        #expect(plan.format == 1)
        #expect(plan.ranges == [SourceRange(file: Sample.file(), from: 12, hash: "00ff")])
        #expect(plan.stateChanges == nil && plan.expectations == nil && plan.forgotten == nil)
        #expect(try value(Self.stateTextOfFormat1) == ShardState())
    }

    @Test("the format of a stored plan is kept, also a newer one")
    func newerFormat() throws {
        let text = Self.planText.replacingOccurrences(of: #""format":3"#, with: #""format":7"#)
        let plan: BatchPlan = try value(text)
        #expect(plan.format == 7)
    }

    @Test("a plan without a format is refused")
    func noFormat() throws {
        let text = Self.planText.replacingOccurrences(of: #""format":3,"#, with: "")
        #expect(throws: DecodingError.self) { try value(text) as BatchPlan }
    }
}
