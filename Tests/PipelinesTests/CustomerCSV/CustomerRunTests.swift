import AuditFormats
import Catalog
import Foundation
import Intake
import Pipelines
import Testing

@Suite struct CustomerRunTests {
    private typealias Fixture = CustomerFixture

    private static let events = Array("abcdef").map { String($0) }

    @Test func filesBecomeRowsByTheNamesOfTheirHeaders() throws {
        try Fixture.with { lake in
            try lake.deliver(
                "customer,event_time,action,size\nacme,2026-11-01T10:00:00Z,view,7\n",
                to: "1.csv"
            )
            try lake.deliver(
                "Size;note;EVENT_TIME;customer;action\n8;\"a;b\";2026-11-01T11:00:00Z;umbra;edit\n",
                to: "2.csv"
            )
            let summary = try lake.run()
            #expect(summary.rows == 2 && summary.quarantined == 0)
            #expect(
                try lake.columns() == [
                    "customer", "event_id", "event_time", "action", "size", "note", "_rescued", "source",
                    "source_offset", "ingest_ts", "date",
                ]
            )
            #expect(try lake.texts("customer") == ["acme", "umbra"])
            #expect(try lake.texts("action") == ["edit", "view"])
            #expect(try lake.numbers("size") == [7, 8])
            #expect(try lake.texts("note") == ["a;b"])
            #expect(try lake.run().batches == 0)
        }
    }

    @Test func aNewColumnIsAddedToATableThatIsThere() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.record(1)])
            try lake.run()
            try lake.deliver(
                "customer,event_time,action,reason\nacme,2026-11-01T12:00:00Z,view,audit\n",
                to: "b.csv"
            )
            try lake.run()
            #expect(try lake.texts("reason") == ["audit"])
            #expect(try lake.texts("action") == ["act-1", "view"])
            #expect(try lake.columns().filter { !$0.hasPrefix("_") }.count == 9)
        }
    }

    // MARK: Rows that are there

    @Test func overlappingFilesNeverDoubleARow() throws {
        try Fixture.with { lake in
            let records = (1...9).map { Fixture.record($0, day: $0 % 3 + 1) }
            try lake.deliver(Array(records[..<5]), to: "a.csv")
            try lake.deliver(Array(records[3..<7]), to: "b.csv")
            let summary = try lake.run()
            #expect(summary.rows == 7 && summary.leftOut == 2)
            // Another process compares with what the table has.
            try lake.deliver(Array(records[2...]), to: "c.csv")
            #expect(try lake.run().rows == 2)
            try lake.deliver(records.reversed(), to: "d.csv")
            #expect(try lake.run().rows == 0)
            #expect(try lake.texts("action") == (1...9).map { "act-\($0)" })
            #expect(Set(try lake.texts("event_id")).count == 9)
        }
    }

    @Test func aFileThatIsRewrittenGivesItsNewRowsOnly() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.record(1), Fixture.record(2)])
            try lake.run()
            try lake.deliver([Fixture.record(3), Fixture.record(2), Fixture.record(4)])
            #expect(try lake.run().rows == 2)
            #expect(try lake.texts("action") == ["act-1", "act-2", "act-3", "act-4"])
        }
    }

    @Test func equalEventsOfOneFileAreSeveral() throws {
        try Fixture.with { lake in
            let twice = Fixture.record(1) + Fixture.record(2) + Fixture.record(1)
            try lake.deliver(Fixture.header + twice)
            #expect(try lake.run().rows == 3)
            // The file grows by a third one, which begins a batch of its own.
            try lake.deliver(Fixture.header + twice + Fixture.record(1))
            #expect(try lake.run().rows == 1)
            try lake.deliver(Fixture.header + Fixture.record(1) + Fixture.record(1), to: "again.csv")
            #expect(try lake.run().rows == 0, "another file has two of them")
            try lake.deliver(
                Fixture.header + String(repeating: Fixture.record(1), count: 4),
                to: "more.csv"
            )
            #expect(try lake.run().rows == 1, "its fourth one nobody has")
            #expect(try lake.texts("action") == ["act-1", "act-1", "act-1", "act-1", "act-2"])
        }
    }

    /// A batch ends within a file: the rest knows the header and the equal records before it.
    @Test func aFileIsCutIntoBatches() throws {
        try Fixture.with { lake in
            // What the columns are is known: nothing has to be looked at before it is read.
            try lake.deliver([Fixture.record(30, details: "z")], to: "0.csv")
            try lake.run()
            lake.settings.batchByteCount = 64
            let records = (1...20).map { Fixture.record($0 % 4, details: "\"x\ny\"") }
            try lake.deliver(records)
            let summary = try lake.run()
            #expect(summary.batches > 5)
            #expect(summary.rows == 20)
            #expect(try lake.texts("details") == Array(repeating: "x\ny", count: 20) + ["z"])
        }
    }

    /// A file may end without a newline, and come again with more lines, or with more of the last one.
    @Test func aLastRecordWithoutItsNewlineMayGoOn() throws {
        try Fixture.with { lake in
            let records = Fixture.header + Fixture.record(1) + Fixture.record(2, details: "x")
            try lake.deliver(String(records.dropLast()))
            #expect(try lake.run().rows == 2)
            try lake.deliver(records + Fixture.record(3))
            #expect(try lake.run().rows == 1, "the second one is known")
            try lake.deliver(String((records + Fixture.record(3)).dropLast()), to: "b.csv")
            #expect(try lake.run().rows == 0)
            try lake.deliver(
                (records + Fixture.record(3)).dropLast() + "and more\n" + Fixture.record(4),
                to: "b.csv"
            )
            #expect(try lake.run().rows == 2)
            #expect(try lake.texts("action") == ["act-1", "act-2", "act-3", "act-3", "act-4"])
            #expect(try lake.texts("details") == ["and more", "x"])
            #expect(try lake.texts("raw", of: lake.settings.quarantine) == [])
        }
    }

    @Test func rowsWithoutATimeAreKnownAgain() throws {
        try Fixture.with { lake in
            let text = "customer,action\nacme,a\nacme,b\nacme,a\n"
            try lake.deliver(text)
            #expect(try lake.run().rows == 3)
            lake.now += 3 * 86_400_000_000
            try lake.deliver(text + "acme,c\n", to: "b.csv")
            #expect(try lake.run().rows == 1)
            #expect(try lake.texts("action") == ["a", "a", "b", "c"])
        }
    }

    /// `identity: {exclude: […]}`: an exporter's own number does not make a row another one.
    @Test func excludedColumnsDoNotTellRowsApart() throws {
        try Fixture.with { lake in
            lake.settings.decoding.excluded = ["run"]
            try lake.deliver("customer,event_time,action,run\nacme,2026-11-01T10:00:00Z,a,1\n", to: "a.csv")
            try lake.deliver("customer,event_time,action,run\nacme,2026-11-01T10:00:00Z,a,2\n", to: "b.csv")
            #expect(try lake.run().rows == 1)
        }
    }

    /// Two pipelines may feed one table: each compares with the rows of the other.
    @Test func rowsOfAnotherPipelineAreKnown() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.record(1), Fixture.record(2)], to: "x/a.csv")
            try lake.run()
            var other = lake
            other.settings.name = "other"
            try lake.deliver([Fixture.record(2), Fixture.record(3)], to: "y/b.csv")
            #expect(try other.run().rows == 1)
            try lake.deliver([Fixture.record(3), Fixture.record(4)], to: "z/c.csv")
            #expect(try lake.run().rows == 1)
            #expect(try lake.texts("action") == ["act-1", "act-2", "act-3", "act-4"])
        }
    }

    // MARK: Customers

    @Test func theCustomerComesFromThePath() throws {
        try Fixture.with { lake in
            lake.settings.decoding.customerColumn = nil
            lake.settings.customerPath = CustomerPath("csv/{customer}/")
            let text = "event_time,action\n2026-11-01T10:00:00Z,a\n"
            try lake.deliver(text, to: "acme/1.csv")
            try lake.deliver(text, to: "umbra/1.csv")
            #expect(try lake.run().rows == 2, "what differs in the customer alone are two events")
            #expect(try lake.texts("customer") == ["acme", "umbra"])
        }
    }

    // MARK: What is no row

    @Test func raggedAndBrokenRecordsAreQuarantined() throws {
        try Fixture.with { lake in
            try lake.deliver(
                Fixture.header + Fixture.record(1) + "acme,2026-11-01T10:00:00Z\n" + Fixture.record(2)
            )
            let summary = try lake.run()
            #expect(summary.rows == 2 && summary.quarantined == 1)
            #expect(try lake.texts("raw", of: lake.settings.quarantine) == ["acme,2026-11-01T10:00:00Z"])
        }
    }

    // MARK: Masks

    private static let key = Array("0123456789abcdef".utf8)

    @Test func nothingOfAMaskedValueIsStored() throws {
        try Fixture.with { lake in
            lake.settings.decoding.masks = ["ip": .hash, "secret": .drop, "agent": .truncate(4)]
            lake.settings.decoding.maskKey = Self.key
            try lake.deliver(
                """
                customer,event_time,ip,secret,agent
                acme,2026-11-01T10:00:00Z,192.0.2.77,hunter2hunter2,Mozilla-hunter3
                acme,2026-11-01T10:00:01Z,192.0.2.77,hunter2hunter2,Mozilla-hunter3,hunter4hunter4
                acme,not a time,192.0.2.77,hunter2hunter2,Mozilla-hunter3

                """
            )
            let summary = try lake.run()
            #expect(summary.rows == 2 && summary.quarantined == 1)
            let hashes = try lake.texts("ip")
            #expect(hashes.count == 2 && Set(hashes).count == 1)
            #expect(try lake.texts("agent") == ["Mozi", "Mozi"])
            #expect(try !lake.columns().contains("secret"))
            #expect(try lake.texts("raw", of: lake.settings.quarantine) == ["***"])
            for secret in ["192.0.2.77", "hunter2", "hunter3", "hunter4"] {
                let needle = Data(secret.utf8)
                #expect(try lake.lakeBytes().allSatisfy { $0.range(of: needle) == nil })
            }
        }
    }

    @Test(arguments: [nil, Array("another key of 16".utf8)])
    func theKeyOfATableStays(_ other: [UInt8]?) throws {
        try Fixture.with { lake in
            lake.settings.decoding.masks = ["details": .hash]
            lake.settings.decoding.maskKey = Self.key
            try lake.deliver([Fixture.record(1)])
            try lake.run()
            lake.settings.decoding.maskKey = other
            if other == nil { lake.settings.decoding.masks = [:] }
            try lake.deliver([Fixture.record(2)], to: "b.csv")
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.message.contains("another mask_key") == true)
            #expect(try lake.texts("action") == ["act-1"])
        }
    }
}
