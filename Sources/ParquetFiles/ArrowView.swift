import CArrowParquet

/// A column that Arrow owns, seen value by value: for small files such as checkpoints.
package struct ArrowView {
    let schema: UnsafePointer<ArrowSchema>
    let array: UnsafePointer<ArrowArray>

    /// The number of values.
    package var count: Int { Int(array.pointee.length) }

    /// The names of a structure's columns.
    package var fieldNames: [String] {
        (0..<Int(schema.pointee.n_children)).map { index in
            schema.pointee.children[index]?.pointee.name.map { String(cString: $0) } ?? ""
        }
    }

    /// The column `name` of a structure, nil when there is none.
    package func field(_ name: String) -> ArrowView? {
        fieldNames.firstIndex(of: name).flatMap(child)
    }

    func child(_ index: Int) -> ArrowView? {
        guard let schema = schema.pointee.children[index], let array = array.pointee.children[index] else {
            return nil
        }
        return ArrowView(schema: schema, array: array)
    }

    private func offset(_ index: Int) -> Int { index + Int(array.pointee.offset) }

    /// Whether value `index` is there.
    package func isValid(_ index: Int) -> Bool {
        guard array.pointee.n_buffers > 0, let bits = array.pointee.buffers[0] else { return true }
        let at = offset(index)
        return bits.load(fromByteOffset: at / 8, as: UInt8.self) >> UInt8(at % 8) & 1 == 1
    }

    private func buffer(_ index: Int) -> UnsafeRawPointer? {
        index < array.pointee.n_buffers ? array.pointee.buffers[index] : nil
    }

    /// The 64-bit integer or timestamp at `index`, nil when missing.
    package func int64(_ index: Int) -> Int64? {
        guard isValid(index), let values = buffer(1) else { return nil }
        return values.load(fromByteOffset: offset(index) * 8, as: Int64.self)
    }

    /// The 32-bit integer or date at `index`, nil when missing.
    package func int32(_ index: Int) -> Int32? {
        guard isValid(index), let values = buffer(1) else { return nil }
        return values.load(fromByteOffset: offset(index) * 4, as: Int32.self)
    }

    /// The truth value at `index`, nil when missing.
    package func boolean(_ index: Int) -> Bool? {
        guard isValid(index), let bits = buffer(1) else { return nil }
        let at = offset(index)
        return bits.load(fromByteOffset: at / 8, as: UInt8.self) >> UInt8(at % 8) & 1 == 1
    }

    /// The text at `index`, nil when missing.
    package func string(_ index: Int) -> String? {
        bytes(index).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The bytes of the text at `index`, and how many more may be looked at behind them; nil when missing.
    package func bytes(_ index: Int) -> (bytes: UnsafeRawBufferPointer, paddingByteCount: Int)? {
        guard isValid(index) else { return nil }
        let range = offsets(index)
        let bytes = UnsafeRawBufferPointer(start: buffer(2).map { $0 + range.lowerBound }, count: range.count)
        return (bytes, offsets(count - 1).upperBound - range.upperBound)
    }

    private func offsets(_ index: Int) -> Range<Int> {
        guard let offsets = buffer(1) else { return 0..<0 }
        let at = offset(index) * 4
        let start = Int(offsets.load(fromByteOffset: at, as: Int32.self))
        return start..<Int(offsets.load(fromByteOffset: at + 4, as: Int32.self))
    }

    /// The texts of the list at `index`, nil when missing.
    package func strings(_ index: Int) -> [String]? {
        guard isValid(index), let elements = child(0) else { return nil }
        return offsets(index).compactMap { elements.string($0) }
    }

    /// The pairs of the map at `index`, nil when missing; a pair without value is left out.
    package func pairs(_ index: Int) -> [(key: String, value: String?)]? {
        guard isValid(index), let entries = child(0), let keys = entries.child(0),
            let values = entries.child(1)
        else {
            return nil
        }
        return offsets(index).compactMap { at in keys.string(at).map { ($0, values.string(at)) } }
    }
}
