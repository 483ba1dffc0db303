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
        #expect(encoded.count == 640_000)
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
