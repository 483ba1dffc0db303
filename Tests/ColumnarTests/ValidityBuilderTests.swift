import Columnar
import Testing

@Suite struct ValidityBuilderTests {
    private func bitmap(_ isThere: [Bool]) -> (validity: FrozenBuffer?, nullCount: Int) {
        var builder = ValidityBuilder()
        for (index, value) in isThere.enumerated() where !value { builder.appendNull(at: index) }
        return builder.finish(count: isThere.count)
    }

    private func expectBitmap(_ isThere: [Bool]) {
        let (validity, nullCount) = bitmap(isThere)
        #expect(nullCount == isThere.count { !$0 })
        guard let validity else {
            #expect(nullCount == 0)
            return
        }
        #expect(validity.count == (isThere.count + 7) / 8)
        let bits = isThere.indices.map { validity.bytes[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        #expect(bits == isThere)
        // Arrow asks for zeros behind the last value.
        let padding = isThere.count..<validity.count * 8
        #expect(padding.allSatisfy { validity.bytes[$0 / 8] >> UInt8($0 % 8) & 1 == 0 })
    }

    @Test("every pattern of up to ten values", arguments: 0...10)
    func everyPattern(count: Int) {
        for pattern in 0..<(1 << count) { expectBitmap((0..<count).map { pattern >> $0 & 1 == 1 }) }
    }

    @Test(
        "one missing value at each place around bytes and words",
        arguments: [15, 16, 17, 63, 64, 65, 128, 129]
    )
    func oneMissing(count: Int) {
        for place in 0..<count { expectBitmap((0..<count).map { $0 != place }) }
    }

    @Test("one value at each place", arguments: [15, 16, 17, 63, 64, 65, 128, 129])
    func oneThere(count: Int) {
        for place in 0..<count { expectBitmap((0..<count).map { $0 == place }) }
    }

    @Test("no bitmap when nothing is missing")
    func nothingMissing() {
        #expect(bitmap([true, true]).validity == nil)
        #expect(bitmap([]).validity == nil)
    }

    @Test("what is there is known while building")
    func isValid() {
        var builder = ValidityBuilder()
        builder.appendNull(at: 2)
        builder.appendNull(at: 9)
        #expect((0..<12).filter { !builder.isValid($0) } == [2, 9])
    }

    @Test("a finished builder starts again from nothing")
    func reuse() {
        var builder = ValidityBuilder()
        builder.appendNull(at: 3)
        _ = builder.finish(count: 5)
        #expect(builder.finish(count: 5).validity == nil)
        builder.appendNull(at: 0)
        let (validity, nullCount) = builder.finish(count: 2)
        #expect(nullCount == 1)
        #expect(validity?.bytes.first == 0b10)
    }
}
