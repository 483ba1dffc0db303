import Columnar
import Testing

/// Builders of floating-point numbers and of truth values.
@Suite struct ValueBuilderTests {
    @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65])
    func numbersComeBackWithMissingOnes(count: Int) {
        var builder = DoubleBuilder()
        for round in 0..<2 {
            let values = (0..<count).map { $0 % 3 == round ? nil : Double($0) / -7 }
            for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
            #expect(builder.count == count)
            builder.appendNulls(upTo: count + 3)
            let column = builder.finish()
            #expect(column.type == .double)
            #expect(column.values(Double.self) == values + [nil, nil, nil])
            #expect(column.nullCount == values.count { $0 == nil } + 3)
        }
    }

    @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65])
    func truthValuesComeBackWithMissingOnes(count: Int) {
        var builder = BooleanBuilder()
        for round in 0..<2 {
            let values = (0..<count).map { $0 % 3 == round ? nil : $0 % 2 == 0 }
            for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
            #expect(builder.count == count)
            builder.appendNulls(upTo: count + 3)
            let column = builder.finish()
            let bits = column.buffers[0].bytes
            let found = zip(column.presence, 0..<column.count).map { isThere, index in
                isThere ? bits[index / 8] >> UInt8(index % 8) & 1 == 1 : nil
            }
            #expect(found == values + [nil, nil, nil])
            #expect(column.nullCount == values.count { $0 == nil } + 3)
        }
    }

    @Test func cellsOfBothTypes() {
        let numbers = Column(.double, values: [.double(1.5), .null, .string("x")])
        #expect(numbers.values(Double.self) == [1.5, nil, nil])
        let flags = Column(.boolean, values: [.boolean(true), .null, .boolean(false)])
        #expect(flags.presence == [true, false, true] && flags.buffers[0].bytes[0] & 5 == 1)
    }
}
