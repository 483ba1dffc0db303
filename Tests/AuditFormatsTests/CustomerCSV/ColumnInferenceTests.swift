import AuditFormats
import Testing

/// What a sample of values says of a column.
@Suite struct ColumnInferenceTests {
    private func inference(_ values: [String]) -> ColumnInference {
        var inference = ColumnInference()
        for var value in values { value.withUTF8 { inference.look(at: UnsafeRawBufferPointer($0)) } }
        return inference
    }

    @Test(arguments: [
        (["1", "-2", ""], "integer"), (["1", "2.5"], "double"), (["1e3"], "double"),
        (["1", "00123"], "text"),
        (["true", "FALSE"], "boolean"), (["true", "1"], "text"),
        (["2026-11-21T10:00:00Z", "2026-11-21 10:00"], "timestamp"), (["2026-11-21"], "text"),
        (["2026-11-21T10:00:00.123456789Z"], "text"), (["2026-11-21T10:00:00.123456000Z"], "timestamp"),
        (["9223372036854775808"], "text"), (["1.5", "x"], "text"),
    ])
    func everyValueFitsTheType(_ values: [String], _ type: String) {
        #expect(inference(values).type?.name == type)
    }

    @Test func withoutAValueThereIsNoType() {
        #expect(inference(["", ""]).type == nil)
        #expect(inference(["", ""]).emptyCount == 2)
    }

    @Test func whatWasSeenIsTold() {
        let seen = inference(["1", "-5", "x", "2.5", "", "y", "z", "é\(String(repeating: "w", count: 200))"])
        #expect(seen.valueCount == 7 && seen.emptyCount == 1 && seen.fractionCount == 1)
        #expect(seen.fit(of: .integer).count == 2)
        #expect(seen.fit(of: .integer).misfits == ["x", "2.5", "y"])
        #expect(seen.fit(of: .double).misfits.map(\.utf8.count) == [1, 1, 1])
        #expect(seen.integerBounds == -5...1)
    }

    @Test func datesThatMayBeReadInTwoWaysContradictEachOther() {
        let both = inference(["01/02/2026", "03/04/2026"])
        #expect(both.type == .text)
        #expect(both.fittingFormats.map(\.text) == ["%m/%d/%Y", "%d/%m/%Y"])
        #expect(inference(["01/02/2026", "13/04/2026"]).fittingFormats.map(\.text) == ["%d/%m/%Y"])
        #expect(inference(["01/02/2026 01:02 PM"]).fittingFormats.count == 2)
        #expect(
            inference(["21/Nov/2026:10:00:00 +0200"]).fittingFormats.map(\.text) == ["%d/%b/%Y:%H:%M:%S %z"]
        )
        #expect(inference(["13/04/2026", "x"]).fittingFormats.isEmpty)
    }

    @Test func inferencesAddUp() {
        let values = ["1", "x", "", "2.5", "13/04/2026", "true", "7"]
        var sum = inference(Array(values.prefix(3)))
        sum.merge(inference(Array(values.suffix(4))))
        #expect(sum == inference(values))
    }

    /// The sample is the first thousand records that begin within a MiB.
    @Test func whatComesBehindTheSampleIsRescued() {
        let values = (0..<1_000).map { "\($0)" }
        let text = (["n,late"] + values.map { "\($0)," } + ["x,1"]).joined(separator: "\n")
        for window in [text.utf8.count, 700] {
            let decoded = decodeCSV([CSVFile(text)], window: window)
            #expect(decoded.shape == ["n integer", "late text"])
            #expect(decoded.rows.last?["_rescued"] == .pairs(["n": .text("x")]))
            #expect(decoded.rows.last?["late"] == .text("1"))
        }
        let early = decodeCSV((["n"] + values.dropLast() + ["x"]).joined(separator: "\n"))
        #expect(early.shape == ["n text"])
    }

    @Test func aSampleIsAMiBAtMost() {
        let long = String(repeating: "y", count: 300_000)
        let records = (0..<6).map { "\($0 < 4 ? "\($0)" : "x"),\(long)\n" }
        for window in [3 << 20, 250_000] {
            let decoded = decodeCSV([CSVFile("n,long\n" + records.joined())], window: window)
            #expect(decoded.shape == ["n integer", "long text"])
            #expect(decoded.totals.rescuedValueCount == 2)
        }
    }

    @Test func aColumnWithoutAnyValueIsNotAdded() {
        let decoded = decodeCSV("a,b\n1,\n2,\n") { $0.declared = ["b": .integer] }
        #expect(decoded.shape == ["a integer"])
    }

    @Test func damagedRecordsSayNothing() {
        let decoded = decodeCSV("a,b\n1,\"x\"y\n2,z\n3\n4,w\n")
        #expect(decoded.shape == ["a integer", "b text"])
        #expect(decoded.reasons.count == 2)
    }
}
