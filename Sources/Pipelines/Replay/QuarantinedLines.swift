import DeltaTables
import ParquetFiles

/// Which rows of a quarantine belong to lines that bronze has.
///
/// A redo that went on without lost bytes leaves bronze without lines whose rows were in the quarantine already: those
/// rows are all that is left of them.
struct QuarantinedLines {
    /// What rows of one source and batch have in common.
    private struct Block: Hashable {
        var source: [UInt8]
        var ingestTime: Int64
    }

    private struct Offsets {
        var values: [Int64] = []
        var isInBronze: [Bool] = []

        /// The first of the offsets, which are sorted, that is not below a number.
        func index(of offset: Int64) -> Int {
            var range = 0..<values.count
            while !range.isEmpty {
                let middle = range.lowerBound + range.count / 2
                range =
                    values[middle] < offset ? middle + 1..<range.upperBound : range.lowerBound..<middle
            }
            return range.lowerBound
        }
    }

    private var places: [Block: Int] = [:]
    private var offsets: [Offsets] = []
    /// The block whose lines bronze is telling; nil when the quarantine has nothing of it.
    private var present: Int?

    /// Takes in every row of a quarantine.
    ///
    /// - Throws: `StorageError`, `ParquetError`, `DeltaLogError`.
    init(of quarantine: DeltaTable?) throws {
        guard let quarantine else { return }
        for file in try quarantine.snapshot().files.values {
            let reader = try quarantine.reader(
                of: file.path,
                fields: ["source", "source_offset", "ingest_ts"]
            )
            for group in 0..<reader.rowGroupCount { try reader.withRowGroup(group) { add($0) } }
        }
        for index in offsets.indices {
            offsets[index].values.sort()
            offsets[index].isInBronze = Array(repeating: false, count: offsets[index].values.count)
        }
    }

    private mutating func add(_ rows: ArrowView) {
        guard let source = rows.field("source"), let offset = rows.field("source_offset"),
            let time = rows.field("ingest_ts")
        else { return }
        var last: (block: Block, place: Int)?
        for index in 0..<rows.count {
            guard let name = source.bytes(index), let at = offset.int64(index), let time = time.int64(index)
            else { continue }
            if last.map({ $0.block.ingestTime != time || !$0.block.source.elementsEqual(name.bytes) }) ?? true
            {
                let block = Block(source: Array(name.bytes), ingestTime: time)
                let place = places[block] ?? offsets.count
                if place == offsets.count { offsets.append(Offsets()) }
                places[block] = place
                last = (block, place)
            }
            if let last { offsets[last.place].values.append(at) }
        }
    }

    /// The lines that follow are of this source and batch.
    mutating func begin(_ source: String, _ ingestTime: Int64) {
        guard !offsets.isEmpty else { return }
        present = places[Block(source: Array(source.utf8), ingestTime: ingestTime)]
    }

    /// Bronze has a line.
    ///
    /// - Complexity: O(1) for a source of which nothing is in the quarantine; else O(log(its rows)).
    mutating func meet(_ offset: UInt64, byteCount: Int) {
        guard let present else { return }
        let end = Int64(offset) + Int64(max(byteCount, 1))
        var index = offsets[present].index(of: Int64(offset))
        while index < offsets[present].values.count, offsets[present].values[index] < end {
            offsets[present].isInBronze[index] = true
            index += 1
        }
    }

    /// Whether bronze has the line that a row of the quarantine belongs to.
    func isInBronze(_ source: UnsafeRawBufferPointer, _ offset: Int64, _ ingestTime: Int64) -> Bool {
        guard let place = places[Block(source: Array(source), ingestTime: ingestTime)] else { return false }
        let index = offsets[place].index(of: offset)
        return index < offsets[place].values.count && offsets[place].values[index] == offset
            && offsets[place].isInBronze[index]
    }
}
