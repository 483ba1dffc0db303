import AuditFormats
import SeededRandom
import Testing

@Suite struct WindowTests {
    /// The sample with damage of several kinds between and in its records.
    private static let damaged: [UInt8] = {
        var bytes: [UInt8] = []
        for (index, record) in Sample.records.prefix(12).enumerated() {
            switch index {
            case 1: bytes += record.dropLast(20)
            case 3: bytes += Array("2026-11-2".utf8) + record
            case 5: bytes += record.filter { $0 != UInt8(ascii: "\n") }
            case 8: bytes += Array("garbage\n\"2026\n".utf8) + record.dropFirst(30)
            case 11: bytes += record.dropLast(30)
            default: bytes += record
            }
        }
        return bytes
    }()

    @Test(arguments: 0..<16)
    func inputInTwoWindowsGivesTheSameRows(_ part: Int) throws {
        let whole = try decode(Sample.bytes)
        for border in stride(from: part, through: Sample.bytes.count, by: 16) {
            let decoded = try decode(Sample.bytes, borders: [border])
            #expect(decoded.rows == whole.rows, "border \(border)")
            #expect(decoded.faults.isEmpty, "border \(border)")
        }
    }

    @Test(arguments: 0..<8)
    func damagedInputInTwoWindowsGivesTheSameRows(_ part: Int) throws {
        let whole = try decode(Self.damaged)
        #expect(whole.faults.count > 4)
        #expect(coverageFault(of: whole, over: Self.damaged) == nil)
        for border in stride(from: part, through: Self.damaged.count, by: 8) {
            let decoded = try decode(Self.damaged, borders: [border])
            #expect(decoded.rows == whole.rows, "border \(border)")
            #expect(coverageFault(of: decoded, over: Self.damaged) == nil, "border \(border)")
        }
    }

    @Test func inputInWindowsOfAFewBytesGivesTheSameRows() throws {
        for bytes in [Sample.bytes, Self.damaged] {
            let whole = try decode(bytes)
            let decoded = try decode(bytes, borders: Array(stride(from: 0, to: bytes.count, by: 7)))
            #expect(decoded.rows == whole.rows)
            #expect(coverageFault(of: decoded, over: bytes) == nil)
        }
    }

    @Test func recordWhoseEndIsMissingWaits() throws {
        let first = Sample.records[0].count
        for end in (first + 1)..<(first + Sample.records[1].count) {
            let decoded = try decode(Array(Sample.bytes[..<end]), isEnd: false)
            #expect(decoded.consumed == first, "end \(end)")
            #expect(decoded.rows.count == 1, "end \(end)")
            #expect(decoded.faults.isEmpty, "end \(end)")
        }
    }

    /// What a batch took from a growing file has to come out the same when its plan is carried out again.
    private func expectSameWhenReadAgain(_ bytes: [UInt8], _ comment: Comment) throws {
        let first = try decode(bytes, isEnd: false)
        let range = Array(bytes[..<first.consumed])
        let again = try decode(range)
        #expect(again.rows == first.rows, comment)
        #expect(again.consumed == first.consumed, comment)
        #expect(coverageFault(of: first, over: range) == nil, comment)
        #expect(coverageFault(of: again, over: range) == nil, comment)
    }

    @Test func rangeOfABatchGivesTheSameRowsWhenItIsReadAgain() throws {
        for end in Self.damaged.indices {
            try expectSameWhenReadAgain(Array(Self.damaged[..<end]), "end \(end)")
        }
    }

    @Test func openQuoteInDamageHidesNoRecordWhenItsRangeIsReadAgain() throws {
        var silent = LogRecord(user: nil, database: nil, connection: nil, commandTag: nil, message: nil)
        (silent.applicationName, silent.backendType) = (nil, nil)
        let torn = Array("2026-11-21 06:22:00.545 UTC,\"postg".utf8)
        let next = Array(LogRecord().text.utf8.prefix(60))
        let bytes = torn + file([silent]) + next
        #expect(try decode(bytes, isEnd: false).rows.map { $0["raw"] } == [silent.text])
        try expectSameWhenReadAgain(bytes, "torn, whole, begun")
    }
}

@Suite struct RandomInputTests {
    private static let fragments: [[UInt8]] =
        [
            "2026-11-21 06:22:00.545 UTC", "2026-11-21 06:22:00.545 UTC,", "2026-02-30 06:22:00.545 UTC",
            "\"", "\"\"",
            "\"\"\"", ",", ",,,,,,,,,", "\n", "\r\n", "\r", "LOG,00000,", "ERROR,42501,",
            "AUDIT: SESSION,1,1,READ,",
            "password 's3", "'", "1986", "6b01.7c2", "statement: ", "é", "2026-", "\\", " ", "alter role x ",
        ].map { Array($0.utf8) } + [[0], [0xFF], [0xE9], [0xC3]]

    private static func input(seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...60, using: &generator) {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes += Sample.records.randomElement(using: &generator) ?? []
            case 1:
                let record = Sample.records.randomElement(using: &generator) ?? []
                let start = Int.random(in: 0..<record.count, using: &generator)
                bytes += record[start..<Int.random(in: start..<record.count, using: &generator)]
            case 2: bytes.append(UInt8.random(in: 0...255, using: &generator))
            default: bytes += fragments.randomElement(using: &generator) ?? []
            }
        }
        return bytes
    }

    @Test(arguments: 0..<1_000)
    func anyBytesAreRowsOrFaultsAndNothingIsLeft(_ seed: Int) throws {
        let bytes = Self.input(seed: UInt64(seed))
        let open = PostgresDecoderSettings.make { $0.redactsSecrets = false }
        let decoded = try decode(bytes, settings: open)
        #expect(decoded.consumed == bytes.count)
        #expect(coverageFault(of: decoded, over: bytes) == nil)
        #expect(try decode(bytes).consumed == bytes.count, "with redaction")

        let first = try decode(bytes, settings: open, isEnd: false)
        let range = Array(bytes[..<first.consumed])
        #expect(coverageFault(of: first, over: range) == nil)
        #expect(try decode(range, settings: open).rows == first.rows, "the range read again")

        let borders = [bytes.count / 3, bytes.count / 2]
        let windows = try decode(bytes, settings: open, borders: borders)
        #expect(windows.rows == decoded.rows, "read in windows")
        #expect(coverageFault(of: windows, over: bytes) == nil)
    }
}
