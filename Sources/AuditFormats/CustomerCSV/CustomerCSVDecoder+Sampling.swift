import CByteScan
import Columnar

extension CustomerCSVDecoder {
    /// The most records of a sample.
    static var sampleRecordCount: Int { 1_000 }
    /// So many bytes behind its start, no record of a sample begins any more.
    static var sampleByteCount: Int { 1 << 20 }

    /// Looks at records to find out what the new columns of the file are, and adds those that have a value.
    ///
    /// Nothing is done with the bytes. A column without a value stays pending: with its first value it is added as text,
    /// or as what was declared.
    mutating func sample(_ rest: UnsafeRawBufferPointer, at offset: UInt64, isEnd: Bool) -> Step {
        var inferences: [ColumnInference] = Array(repeating: ColumnInference(), count: fields.list.count)
        var at = 0
        var recordCount = 0
        while at < Self.sampleByteCount, recordCount < Self.sampleRecordCount {
            guard at < rest.count else {
                if isEnd { break }
                return .stop(.needsMoreInput)
            }
            let bytes = UnsafeRawBufferPointer(rebasing: rest[at...])
            switch look(at: bytes, isEnd: isEnd) {
            case .record(let byteCount):
                if splitter.byteCount > 0 { recordCount += 1 }
                infer(bytes, &inferences)
                at += byteCount
            case .incomplete: return .stop(.needsMoreInput)
            case .damage:
                recordCount += 1
                var searched = at
                switch nextSound(rest, from: &searched, upTo: Self.sampleByteCount, isEnd: isEnd) {
                case .found(let next): at = next
                case .needsMore: return .stop(.needsMoreInput)
                case .none: at = Self.sampleByteCount
                }
            }
        }
        for index in fields.pending where inferences[index].valueCount > 0 {
            let isToBeInferred = fields.isToBeInferred(index, settings)
            fields.add(index, as: isToBeInferred ? inferences[index].type : nil, to: &schema)
        }
        file.isSampled = true
        file.stage = .records
        return .done(0)
    }

    /// Looks at the values of the record that was split last, if it is sound.
    private mutating func infer(_ bytes: UnsafeRawBufferPointer, _ inferences: inout [ColumnInference]) {
        guard splitter.byteCount > 0, splitter.fieldCount == fields.list.count, isText(bytes) else { return }
        findTexts(bytes)
        for index in fields.pending {
            let text = splitter.texts[index]
            inferences[index].look(at: UnsafeRawBufferPointer(start: text.bytes, count: text.length))
        }
    }
}
