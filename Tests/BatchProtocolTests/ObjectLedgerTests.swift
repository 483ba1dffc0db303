import BatchProtocol
import Testing

@Suite struct ObjectLedgerTests {
    private func ledger(_ ranges: [ObjectRange]) -> ObjectLedger {
        var ledger = ObjectLedger()
        for range in ranges { ledger.apply(range) }
        return ledger
    }

    @Test("an object is found with what was read of it, and no other is")
    func find() {
        let ledger = ledger([Sample.object("/a", to: 7), Sample.object("/b", version: "2", to: 9)])
        let expected = SeenObject(
            version: ObjectLedger.hash(version: "2"),
            to: 9,
            chain: ContentHash(high: 0, low: 12),
            rest: ContentHash(high: 14, low: 0)
        )
        #expect(ledger.find("/b") == expected)
        #expect(Array("/b".utf8).withUnsafeBytes(ledger.find) == expected)
        #expect(ledger.find("/c") == nil && ledger.find("") == nil)
        #expect(ObjectLedger().find("/a") == nil)
    }

    @Test("the last range of an object counts")
    func replaced() {
        let ledger = ledger([Sample.object("/a", to: 7), Sample.object("/a", version: "2", from: 7, to: 70)])
        #expect(ledger.count == 1)
        #expect(ledger.find("/a")?.to == 70)
        #expect(ledger.find("/a")?.version == ObjectLedger.hash(version: "2"))
    }

    @Test("of an object that was not read to its end no version is known")
    func notWhole() {
        let ledger = ledger([Sample.object("/a", to: 7, isWhole: false)])
        #expect(ledger.find("/a")?.version == ObjectLedger.noVersion)
        #expect(ledger.find("/a")?.to == 7)
        #expect(ledger.find("/a")?.isFinished == false && ledger.find("/a")?.isUnfinishedCorrection == false)
    }

    @Test("of a correction that was not read to its end it is known that it is one")
    func unfinishedCorrection() {
        var range = Sample.object("/a", to: 7, isWhole: false)
        range.isCorrection = true
        #expect(ledger([range]).find("/a")?.isUnfinishedCorrection == true)
        #expect(ledger([range]).find("/a")?.isFinished == false)
        range.isWhole = true
        #expect(ledger([range]).find("/a")?.isUnfinishedCorrection == false)
        #expect(ledger([range]).find("/a")?.isFinished == true)
    }

    @Test("ten thousand objects are all found, and stored in 64 bytes each")
    func many() throws {
        let key = { "/drop/workspaceId=\($0 % 100)/date=2026-11-21/auditlogs_\($0).json" }
        var ledger = ObjectLedger()
        for index in 0..<10_000 { ledger.apply(Sample.object(key(index), to: UInt64(index))) }
        #expect(ledger.count == 10_000)
        #expect((0..<10_000).allSatisfy { ledger.find(key($0))?.to == UInt64($0) })
        let encoded = ledger.encoded
        #expect(encoded.count == 640_000 + 64)
        let decoded = try #require(ObjectLedger(decoding: encoded))
        #expect(decoded.count == 10_000 && decoded.encoded == encoded)
        #expect((0..<10_000).allSatisfy { decoded.find(key($0)) == ledger.find(key($0)) })
    }

    @Test("equal ledgers are stored alike, in whatever order they learned")
    func order() {
        let ranges = (0..<1_000).map { Sample.object("/\($0)", to: UInt64($0)) }
        let forward = ledger(ranges)
        let backward = ledger(ranges.reversed())
        #expect(forward == backward && forward.hashValue == backward.hashValue)
        #expect(forward.encoded == backward.encoded)
        #expect(forward != ledger(Array(ranges.dropLast())))
        #expect(forward != ledger(ranges + [Sample.object("/0", to: 1)]))
    }

    private static let day: Int64 = 86_400_000_000

    @Test("objects of days before the first one are forgotten, the others and their room are kept")
    func forget() throws {
        // Object n was last modified in the last microsecond of day 20,000 + n / 100.
        let modified = { (index: Int64) in (20_001 + index / 100) * Self.day - 1 }
        var ledger = ObjectLedger()
        for index in 0..<10_000 as Range<Int64> {
            ledger.apply(Sample.object("/\(index)", to: UInt64(index), modified: modified(index)))
        }
        #expect(ledger.newestDay == 20_099 && ledger.firstDay == 0)
        #expect(!ledger.isTooOld(0))
        let whole = ledger
        ledger.forget(before: 20_090)
        #expect(ledger.count == 1_000 && ledger.newestDay == 20_099)
        for index in 0..<10_000 as Range<Int64> {
            let expected = index < 9_000 ? nil : whole.find("/\(index)")
            #expect(ledger.find("/\(index)") == expected)
            #expect(ledger.isTooOld(modified(index)) == (index < 9_000))
        }
        let decoded = try #require(ObjectLedger(decoding: ledger.encoded))
        #expect(decoded == ledger && decoded.firstDay == 20_090 && decoded.newestDay == 20_099)
        #expect(ledger.encoded.count == 64_064)
    }

    @Test("a day that was forgotten does not come back, and a ledger that forgot is another one")
    func forgetLess() {
        var ledger = ledger([Sample.object("/a", to: 7, modified: 20_000 * Self.day)])
        var other = ledger
        other.forget(before: 20_000)
        #expect(other.count == 1 && other != ledger)
        ledger.forget(before: 20_001)
        ledger.forget(before: 19_000)
        #expect(ledger.count == 0 && ledger.firstDay == 20_001)
        #expect(ObjectLedger(decoding: ledger.encoded) == ledger)
    }

    @Test("a time without a day that fits is kept as the nearest one", arguments: [Int64.min, -1, 0, .max])
    func strangeTimes(modified: Int64) throws {
        var ledger = ledger([Sample.object("/a", to: 7, modified: modified)])
        #expect(ledger.find("/a") == self.ledger([Sample.object("/a", to: 7)]).find("/a"))
        ledger.forget(before: 20_000)
        #expect((ledger.count == 0) == (modified < 1))
    }

    @Test("what is no ledger is refused: cut, a free record, the same key twice")
    func damaged() {
        let encoded = ledger([Sample.object("/a", to: 7)]).encoded
        #expect(ObjectLedger(decoding: []) == ObjectLedger())
        #expect(ObjectLedger(decoding: Array(encoded.dropLast())) == nil)
        #expect(ObjectLedger(decoding: encoded + encoded) == nil)
        #expect(ObjectLedger(decoding: [UInt8](repeating: 0, count: 64)) == nil)
    }

    @Test(
        "the last piece of an object begins at the last whole MiB",
        arguments: [(0, 0), (1, 0), (1_048_575, 0), (1_048_576, 1_048_576), (3_000_000, 2_097_152)]
            as [(UInt64, UInt64)]
    )
    func restOffset(to: UInt64, offset: UInt64) {
        let seen = SeenObject(version: 1, to: to, chain: .none, rest: .none)
        #expect(seen.restOffset == offset)
    }

    @Test("a hash is 32 digits, and nothing else is one")
    func digits() {
        let hash = ContentHash(high: 0x0f, low: .max)
        #expect("\(hash)" == "000000000000000fffffffffffffffff")
        #expect(ContentHash("\(hash)") == hash)
        for text in ["", "0f", "000000000000000Fffffffffffffffff", "+00000000000000fffffffffffffffff"] {
            #expect(ContentHash(text) == nil)
        }
    }
}
