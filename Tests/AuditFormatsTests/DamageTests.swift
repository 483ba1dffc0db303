import AuditFormats
import Testing

@Suite struct DamageTests {
    /// Records around a damaged one, and where it begins in their bytes.
    private struct Surroundings {
        var before: [[UInt8]]
        var record: [UInt8]
        var after: [[UInt8]]

        /// Two records on each side, as many as there are.
        init(of index: Int) {
            let all = Sample.records
            before = Array(all[max(0, index - 2)..<index])
            record = all[index]
            after = Array(all[(index + 1)...].prefix(2))
        }

        /// The bytes with another record in the place of this one, and what came of them.
        func decode(_ damaged: [UInt8], followed: Bool = true) throws -> (bytes: [UInt8], decoded: Decoded) {
            let bytes = before.joined() + damaged + (followed ? Array(after.joined()) : [])
            return (bytes, try AuditFormatsTests.decode(bytes))
        }

        /// What is wrong with the rows of damaged bytes; nil when all undamaged records are there and, but for one
        /// row of the damaged bytes themselves, no others.
        func fault(_ damaged: [UInt8], followed: Bool = true) throws -> String? {
            let (bytes, decoded) = try decode(damaged, followed: followed)
            if let fault = coverageFault(of: decoded, over: bytes) { return fault }
            let rows = decoded.rows.map(\.rawBytes)
            let first = before.map(trimmed)
            let last = followed ? after.map(trimmed) : []
            guard rows.starts(with: first), rows.reversed().starts(with: last.reversed()) else {
                return "a record beside the damage is gone"
            }
            let own = rows.dropFirst(first.count).dropLast(last.count)
            return own.count <= 1 && own.allSatisfy { !$0.isEmpty } ? nil : "rows were invented: \(own.count)"
        }
    }

    /// Where the time zone stands in each record.
    private static let zone = 24..<27

    private static func trimmed(_ line: [UInt8]) -> [UInt8] {
        line.suffix(2) == Array("\r\n".utf8) ? line.dropLast(2) : line.dropLast()
    }

    private static func name(_ index: Int, _ offset: Int) -> Comment { "record \(index), byte \(offset)" }

    @Test func sampleIsSound() throws {
        let decoded = try decode(Sample.bytes)
        #expect(decoded.faults.isEmpty)
        #expect(decoded.rows.map(\.rawBytes) == Sample.records.map(Self.trimmed))
        #expect(coverageFault(of: decoded, over: Sample.bytes) == nil)
    }

    @Test(arguments: Sample.records.indices)
    func recordWithoutItsEndCostsNoOther(_ index: Int) throws {
        let place = Surroundings(of: index)
        for offset in 1..<place.record.count {
            let fault = try place.fault(Array(place.record[..<offset]))
            #expect(fault == nil, Self.name(index, offset))
        }
    }

    @Test(arguments: Sample.records.indices)
    func fileThatEndsInARecordKeepsTheOthers(_ index: Int) throws {
        let place = Surroundings(of: index)
        for offset in 1..<place.record.count {
            let fault = try place.fault(Array(place.record[..<offset]), followed: false)
            #expect(fault == nil, Self.name(index, offset))
        }
    }

    @Test(arguments: Sample.records.indices)
    func recordWithoutItsBeginningCostsNoOther(_ index: Int) throws {
        let place = Surroundings(of: index)
        for offset in 1..<place.record.count {
            let fault = try place.fault(Array(place.record[offset...]))
            #expect(fault == nil, Self.name(index, offset))
        }
    }

    @Test(arguments: Sample.records.indices)
    func quoteThatIsLostOrAddedCostsNoOther(_ index: Int) throws {
        let place = Surroundings(of: index)
        for offset in place.record.indices {
            var damaged = place.record
            damaged[offset] = damaged[offset] == UInt8(ascii: "\"") ? UInt8(ascii: "x") : UInt8(ascii: "\"")
            #expect(try place.fault(damaged) == nil, Self.name(index, offset))
        }
    }

    @Test(arguments: Sample.records.indices)
    func byteThatIsLostOrAddedCostsNoOther(_ index: Int) throws {
        let place = Surroundings(of: index)
        for offset in place.record.indices {
            // A zone of other letters is a question to the person who runs it, no damage.
            if !Self.zone.contains(offset) {
                var shorter = place.record
                shorter.remove(at: offset)
                #expect(try place.fault(shorter) == nil, Self.name(index, offset))
            }
            var longer = place.record
            longer.insert(UInt8(ascii: "\""), at: offset)
            #expect(try place.fault(longer) == nil, Self.name(index, offset))
        }
    }

    @Test func recordThatWasTornIsQuarantinedWithItsRange() throws {
        let first = Array((LogRecord(lineNumber: 1).text + "\n").utf8)
        let torn = Array("2026-11-21 06:22:00.545 UTC,\"postgres\",\"ap".utf8)
        let last = Array((LogRecord(lineNumber: 3).text + "\n").utf8)
        let decoded = try decode(first + torn + last)
        let fault = try #require(decoded.faults.first)
        #expect(decoded.faults.count == 1)
        #expect(fault.range == first.count..<(first.count + torn.count))
        #expect(fault.rawBytes == torn)
        #expect(fault.reason == "malformed_field")
        #expect(fault.source == "pg.csv")
    }

    @Test func recordThatBeginsInAnotherIsToldApart() throws {
        let whole = LogRecord(lineNumber: 1).text
        let decoded = try decode(Array((whole + whole + "\n" + whole + "\n").utf8))
        #expect(decoded.faults.map(\.reason) == ["glued_records"])
        #expect(decoded.faults.map(\.raw) == [whole])
        #expect(decoded.rows.count == 2)
    }

    @Test func secondRecordGluedToAZoneDoesNotStopTheRun() throws {
        let record = LogRecord(lineNumber: 7).text
        let input = Array(("2026-11-21 06:22:00.545 UT" + record + "\n").utf8)
        let decoded = try decode(input)
        #expect(decoded.faults.map(\.reason) == ["timestamp"])
        #expect(decoded.rows.map { $0["raw"] } == [record])
    }
}
