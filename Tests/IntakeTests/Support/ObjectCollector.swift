import BatchProtocol
import Foundation
import Intake
import ObjectStorage

/// Reads objects as a pipeline does: looks, opens, takes whole lines, and remembers them in the state alone.
final class ObjectCollector {
    let source: ObjectSource
    private(set) var drops: ObjectDrops
    private(set) var state: ShardState
    /// The lines that were delivered, in order, each with its key and whether it is a correction.
    private(set) var lines: [(key: String, line: String, isCorrection: Bool)] = []
    /// Keys that were reported as changed, in order.
    private(set) var changed: [String] = []
    private(set) var unreadable: [StorageError] = []
    private(set) var remarks: [ObjectSource.Remark] = []
    /// Whether the last look found something; of what it found nothing may be unread by now.
    private(set) var foundSome = false
    /// The plans, in order.
    private(set) var plans: [BatchPlan] = []
    /// Where the objects may have lain when earlier batches read them.
    var formerFolders: [String] = []
    /// The day before which the next batches forget objects.
    var firstDay: Int64?
    /// Called with the key before an object's last bytes are asked for.
    var onRead: ((String) throws -> Void)?
    private let makePlace: (() -> any ObjectPlace)?
    private let clock: () -> Int64

    init(
        _ source: ObjectSource,
        state: ShardState = ShardState(),
        clock: @escaping () -> Int64 = TailedFiles.kernelClock,
        place: (() -> any ObjectPlace)? = nil
    ) {
        self.source = source
        self.state = state
        self.clock = clock
        makePlace = place
        drops = ObjectDrops(source: source, place: place?(), clock: clock)
    }

    /// Begins anew with nothing but the stored state.
    func restart() {
        drops = ObjectDrops(source: source, place: makePlace?(), clock: clock)
    }

    /// The lines of a key, those of corrections left out.
    func lines(_ key: String) -> [String] {
        lines.filter { $0.key == key && !$0.isCorrection }.map(\.line)
    }

    func corrections(_ key: String) -> [String] {
        lines.filter { $0.key == key && $0.isCorrection }.map(\.line)
    }

    /// One batch: a look, and what is unread of its objects up to so many bytes; a lost one leaves nothing behind.
    ///
    /// - Returns: The batch's ranges.
    @discardableResult
    func batch(
        limit: Int = 1_000,
        budget: Int = .max,
        window: Int = 1 << 16,
        isLost: Bool = false
    ) throws -> [ObjectRange] {
        let before = (lines.count, changed.count)
        let look = try drops.look(after: state.objects, formerFolders: formerFolders, limit: limit)
        foundSome = !look.objects.isEmpty
        unreadable = look.unreadable
        remarks = look.remarks
        var ranges: [ObjectRange] = []
        var left = budget
        for object in look.objects where left > 0 {
            do {
                switch try drops.open(object) {
                case .unread(let reader):
                    try read(reader, &left, window: window)
                    if let range = drops.finish(reader, of: object) { ranges.append(range) }
                case .prefixChanged(let range):
                    changed.append(object.key)
                    ranges.append(range)
                case .unusable, .nothing: continue
                }
            } catch let error as StorageError where error.concernsOneFile {
                drops.setAside(object, error)
                unreadable.append(error)
            }
        }
        if !ranges.isEmpty || drops.isUnchangedWorthABatch {
            ranges += drops.unchangedRanges(besides: Set(ranges.map(\.key)), limit: limit)
        }
        if isLost {
            lines.removeLast(lines.count - before.0)
            changed.removeLast(changed.count - before.1)
        }
        guard !ranges.isEmpty, !isLost else { return ranges }
        var plan = BatchPlan(
            pipeline: "",
            appID: "",
            batch: UInt64(plans.count + 1),
            plannedAt: 0,
            parserVersion: 1,
            stateSnapshot: 0,
            ranges: [],
            tables: []
        )
        plan.objects = ranges
        plan.firstDay = firstDay
        plans.append(plan)
        state.apply(plan)
        return ranges
    }

    /// Batches until nothing is unread.
    func drain(limit: Int = 1_000, budget: Int = .max, window: Int = 1 << 16) throws {
        repeat { try batch(limit: limit, budget: budget, window: window) } while foundSome
    }

    private func read(_ reader: ObjectReader, _ left: inout Int, window: Int) throws {
        var carried: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: window)
        while left > 0 {
            try onRead?(reader.key)
            let count = try chunk.withUnsafeMutableBytes { try reader.read(into: $0) }
            carried += chunk[..<count]
            let isEnd = try count == 0 && isLastLineWhole(carried, reader)
            consume(&carried, reader, isEnd: isEnd, &left)
            if count == 0 { break }
        }
    }

    private func isLastLineWhole(_ line: [UInt8], _ reader: ObjectReader) throws -> Bool {
        switch try reader.ending() {
        case .complete: true
        case .changed: false
        case .fresh: (try? JSONSerialization.jsonObject(with: Data(line))) != nil
        }
    }

    private func consume(_ bytes: inout [UInt8], _ reader: ObjectReader, isEnd: Bool, _ left: inout Int) {
        var at = 0
        bytes.withUnsafeBytes { bytes in
            while left > 0, at < bytes.count, let base = bytes.baseAddress {
                let newline = memchr(base + at, Int32(UInt8(ascii: "\n")), bytes.count - at)
                guard
                    let end = newline.map({ UnsafeRawPointer($0) - base + 1 }) ?? (isEnd ? bytes.count : nil)
                else { return }
                reader.take(UnsafeRawBufferPointer(rebasing: bytes[at..<end]))
                var text = UnsafeRawBufferPointer(rebasing: bytes[at..<(newline == nil ? end : end - 1)])
                if text.last == UInt8(ascii: "\r") {
                    text = UnsafeRawBufferPointer(rebasing: text.dropLast())
                }
                if !text.isEmpty {
                    lines.append((reader.key, String(decoding: text, as: UTF8.self), reader.isCorrection))
                }
                left -= end - at
                at = end
            }
        }
        bytes.removeFirst(at)
    }

    /// The bytes of a range, read again.
    func again(_ range: ObjectRange) throws -> String? {
        let drops = ObjectDrops(source: source, place: makePlace?())
        guard let reader = try drops.locate(range, formerFolders: formerFolders) else { return nil }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1_000)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try reader.read(into: $0) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}
