import CArrowParquet
import Columnar
import Glibc

/// Turns columns into the structures of the Arrow C data interface.
///
/// Structures and strings are allocated with malloc and freed by their release functions; the buffers themselves stay
/// with the columns, which must outlive the call that the structures are given to.
enum ArrowExport {
    /// The schema of a batch, as a structure of its columns.
    static func schema(of fields: [ColumnField]) -> ArrowSchema {
        schema(name: "", type: .structure(fields), isNullable: false)
    }

    private static func schema(name: String, type: ColumnType, isNullable: Bool) -> ArrowSchema {
        var result = ArrowSchema()
        result.format = UnsafePointer(strdup(format(of: type)))
        result.name = UnsafePointer(strdup(name))
        result.flags = isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0
        let children: [ArrowSchema] =
            switch type {
            case .structure(let fields):
                fields.map { schema(name: $0.name, type: $0.type, isNullable: $0.isNullable) }
            case .list(let element): [schema(name: "element", type: element, isNullable: true)]
            case .map(let key, let value):
                [
                    schema(
                        name: "key_value",
                        type: .structure([
                            ColumnField("key", key, isNullable: false), ColumnField("value", value),
                        ]),
                        isNullable: false
                    )
                ]
            default: []
            }
        result.n_children = Int64(children.count)
        result.children = allocate(children)
        if type == .dictionaryString {
            result.dictionary = box(schema(name: "", type: .string, isNullable: false))
        }
        result.release = { pointer in
            guard let schema = pointer else { return }
            free(UnsafeMutableRawPointer(mutating: schema.pointee.format))
            free(UnsafeMutableRawPointer(mutating: schema.pointee.name))
            for index in 0..<Int(schema.pointee.n_children) {
                releaseSchema(schema.pointee.children[index])
            }
            free(schema.pointee.children)
            releaseSchema(schema.pointee.dictionary)
            schema.pointee.release = nil
        }
        return result
    }

    private static func format(of type: ColumnType) -> String {
        switch type {
        case .boolean: "b"
        case .int32: "i"
        case .int64: "l"
        case .double: "g"
        case .date: "tdD"
        case .timestamp: "tsu:UTC"
        case .string: "u"
        case .dictionaryString: "i"
        case .map: "+m"
        case .list: "+l"
        case .structure: "+s"
        }
    }

    /// A batch as one structure array.
    static func array(of batch: RecordBatch) -> ArrowArray {
        array(
            count: batch.rowCount,
            nullCount: 0,
            buffers: [nil],
            children: batch.columns.map(array(of:)),
            dictionary: nil
        )
    }

    private static func array(of column: Column) -> ArrowArray {
        array(
            count: column.count,
            nullCount: column.nullCount,
            buffers: [column.validity?.bytes.baseAddress] + column.buffers.map { $0.bytes.baseAddress },
            children: column.children.map(array(of:)),
            dictionary: column.dictionary.first.map(array(of:))
        )
    }

    private static func array(
        count: Int,
        nullCount: Int,
        buffers: [UnsafeRawPointer?],
        children: [ArrowArray],
        dictionary: ArrowArray?
    ) -> ArrowArray {
        var result = ArrowArray()
        result.length = Int64(count)
        result.null_count = Int64(nullCount)
        result.n_buffers = Int64(buffers.count)
        let list = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: buffers.count)
        list.initialize(from: buffers, count: buffers.count)
        result.buffers = list
        result.n_children = Int64(children.count)
        result.children = allocate(children)
        if let dictionary { result.dictionary = box(dictionary) }
        result.release = { pointer in
            guard let array = pointer else { return }
            array.pointee.buffers?.deallocate()
            for index in 0..<Int(array.pointee.n_children) {
                releaseArray(array.pointee.children[index])
            }
            free(array.pointee.children)
            releaseArray(array.pointee.dictionary)
            array.pointee.release = nil
        }
        return result
    }

    private static func allocate<Value>(
        _ values: [Value]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Value>?>? {
        guard !values.isEmpty else { return nil }
        let raw = malloc(values.count * MemoryLayout<UnsafeMutablePointer<Value>?>.stride)
        let list = raw?.bindMemory(to: UnsafeMutablePointer<Value>?.self, capacity: values.count)
        for (index, value) in values.enumerated() { list?[index] = box(value) }
        return list
    }

    private static func box<Value>(_ value: Value) -> UnsafeMutablePointer<Value> {
        let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        pointer.initialize(to: value)
        return pointer
    }
}

/// Releases a child unless its consumer moved it away, and frees its box.
private func releaseSchema(_ pointer: UnsafeMutablePointer<ArrowSchema>?) {
    guard let pointer else { return }
    if let release = pointer.pointee.release { release(pointer) }
    pointer.deallocate()
}

/// Releases a child unless its consumer moved it away, and frees its box.
private func releaseArray(_ pointer: UnsafeMutablePointer<ArrowArray>?) {
    guard let pointer else { return }
    if let release = pointer.pointee.release { release(pointer) }
    pointer.deallocate()
}
