import Columnar

extension Column {
    /// Which values are there, as the bitmap says.
    var presence: [Bool] {
        (0..<count).map { index in
            guard let validity else { return true }
            return validity.bytes[index / 8] >> UInt8(index % 8) & 1 == 1
        }
    }

    /// The values of a fixed-width column.
    func values<Value: BitwiseCopyable>(_ type: Value.Type) -> [Value?] {
        let bytes = buffers[0].bytes
        return zip(presence, 0..<count).map { isThere, index in
            isThere ? bytes.load(fromByteOffset: index * MemoryLayout<Value>.stride, as: type) : nil
        }
    }

    /// The values of a plain or dictionary text column.
    var texts: [String?] {
        if let dictionary = dictionary.first {
            let entries = dictionary.texts
            return values(Int32.self).map { $0.flatMap { entries[Int($0)] } }
        }
        return zip(presence, 0..<count).map { isThere, index in
            isThere ? String(decoding: buffers[1].bytes[range(index)], as: UTF8.self) : nil
        }
    }

    /// The children that value `index` covers.
    func range(_ index: Int) -> Range<Int> {
        let ends = buffers[0].bytes.bindMemory(to: Int32.self)
        return Int(ends[index])..<Int(ends[index + 1])
    }
}

extension String {
    /// The text's bytes, for a builder.
    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        var text = self
        text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}
