import Testing

@testable import AuditFormats

/// Many days, services and keys cost what their rows hold.
@Suite struct ManyTargetsTests {
    private func event(_ members: String, day: Int = 0) -> String {
        #"{"timestamp":\#(1_793_491_200_000 - day * 86_400_000),"serviceName":"s","actionName":"a",\#(members)}"#
    }

    @Test func daysThatTakeTurnsAreGatheredWithinTheBudget() {
        let lines = (0..<3_000).map { event(#""n":\#($0)"#, day: $0 % 1_000) }
        let found = decodeEvents(Array(lines.joined(separator: "\n").utf8), budget: 48 << 20)
        #expect(found.tables.flushCount == 0)
        #expect(found.tables.silver.count == 1_000)
        #expect(found.tables.silver.values.allSatisfy { $0.count == 3 })
    }

    @Test func theLargestAreTakenFirst() {
        var lines = (0..<40).map { event(#""n":\#($0)"#, day: $0) }
        lines += Array(
            repeating: event(#""n":"\#(String(repeating: "x", count: 4_000))""#, day: 7),
            count: 20
        )
        var decoder = DatabricksDecoder(settings: DatabricksDecoderSettings())
        decoder.begin(source: "a", sourceTime: nil)
        decoder.rowGroupByteCount = 2 << 20
        _ = Array(lines.joined(separator: "\n").utf8).withUnsafeBytes {
            decoder.decode($0, baseOffset: 0, isEnd: true)
        }
        var taken: [DatabricksTarget] = []
        decoder.rowGroupByteCount = 1_800_000
        decoder.flushLargest { target, _ in taken.append(target) }
        #expect(Set(taken.prefix(3)) == [.bronze, .silver(date: 20_751), .gold(service: 0, date: 20_751)])
        #expect(taken.count < 60)
        var rest: [DatabricksTarget] = []
        decoder.flushAll { target, _ in rest.append(target) }
        #expect(Set(taken + rest).count == 81 && taken.count + rest.count == 81)
    }

    @Test func manyKeysEndARowGroupEarly() {
        let lines = (0..<1_000).map { event(#""requestParams":{"k\#($0)":"v"}"#) }
        let found = decodeEvents(Array(lines.joined(separator: "\n").utf8), budget: 3 << 20)
        // A thousand columns of a thousand rows are 4 MB of places for values.
        #expect(found.tables.flushCount > 0)
        #expect(found.services[0].keys.count == 1_000)
        let rows = found.tables.rows(of: "s")
        #expect(rows.count == 1_000)
        #expect(rows.enumerated().allSatisfy { $1["requestParams"]?.texts == ["k\($0)": "v"] })
    }

    @Test func equalNamesWithoutNumberAreToldApart() {
        let count = 20_000
        let members = Array(repeating: #""x":1"#, count: count).joined(separator: ",")
        let metadata = (0..<count).map { #""m\#($0 % (count - 1))":1"# }.joined(separator: ",")
        let found = decodeEvents(event("\(members),\"identity_metadata\":{\(metadata)}")).tables.events[0]
        #expect(found["_rescued"]?.texts.count == count + 1)
        #expect(found["_rescued"]?.texts["x#\(count)"] == "1")
        #expect(found["_rescued"]?.texts["identity_metadata.m0"] == "1")
        #expect(found["identity_metadata"]?.texts.count == count - 1)
    }
}
