import BatchProtocol

/// What was found out of objects and stands in no plan; with it they need not be opened at every look.
struct ObjectNotes {
    /// Its last line is not finished.
    private struct Waiting {
        var version: UInt64
        /// Offset of the line.
        var to: UInt64
        var byteCount: UInt64
        /// When the line counts as whole, in nanoseconds since 1970-01-01 UTC.
        var until: Int64
    }

    /// It has a new version, and nothing that no batch has.
    private struct Unchanged {
        var object: FoundObject
        var range: ObjectRange
        var comparedByteCount: UInt64

        /// Whether the object is as it was, and batches know of it what they did.
        func isOf(_ other: FoundObject) -> Bool {
            range.version == other.version && object.seen == other.seen
                && object.formerlySeen == other.formerlySeen
        }
    }

    /// So many objects without unread bytes are worth a batch of their own.
    private static let objectLimit = 1_000
    /// So are some for which so many bytes had to be compared.
    private static let byteLimit: UInt64 = 64 << 20

    private var waiting: [String: Waiting] = [:]
    private var unchanged: [String: Unchanged] = [:]

    /// Nothing is known.
    init() {}

    /// Bytes of lines that are not finished, by key.
    var pending: [String: UInt64] { waiting.mapValues(\.byteCount) }

    /// What was noted of an object does not hold any more.
    mutating func forget(_ key: String) {
        waiting[key] = nil
        unchanged[key] = nil
    }

    /// The last line of an object is not finished; batches have what comes before an offset.
    mutating func waits(_ reader: ObjectReader, at offset: UInt64) {
        waiting[reader.key] = Waiting(
            version: ObjectLedger.hash(version: reader.status.version),
            to: offset,
            byteCount: reader.status.byteCount - min(offset, reader.status.byteCount),
            until: reader.freshUntil ?? 0
        )
    }

    /// An object has a new version, of which nothing is unread.
    mutating func isUnchanged(_ object: FoundObject, _ range: ObjectRange, comparedByteCount: UInt64) {
        unchanged[object.key] = Unchanged(
            object: object,
            range: range,
            comparedByteCount: comparedByteCount
        )
    }

    /// Keeps of all notes those that say that an object of a listing need not be opened.
    ///
    /// - Parameters:
    ///   - objects: Those whose version is not known; the ones that need not be opened are taken out.
    ///   - ledger: What earlier batches have read.
    ///   - isLeaptOver: Whether the listing says nothing of an object, by its key: what was noted of it holds until a batch has
    ///     it.
    ///   - now: In nanoseconds since 1970-01-01 UTC.
    ///   - complete: Fills in what was read of an object under other names.
    mutating func sift(
        _ objects: inout [FoundObject],
        after ledger: ObjectLedger,
        keeping isLeaptOver: (String) -> Bool,
        now: Int64,
        _ complete: (FoundObject) -> FoundObject
    ) {
        guard !waiting.isEmpty || !unchanged.isEmpty else { return }
        var kept = ObjectNotes()
        kept.unchanged = unchanged.filter { key, note in
            isLeaptOver(key) && ledger.find(key) == note.object.seen
        }
        objects.removeAll { object in
            if let note = waiting[object.key], isWaiting(complete(object), note, now: now) {
                kept.waiting[object.key] = note
                return true
            }
            if let note = unchanged[object.key], note.isOf(complete(object)) {
                kept.unchanged[object.key] = note
                return true
            }
            return false
        }
        self = kept
    }

    private func isWaiting(_ object: FoundObject, _ note: Waiting, now: Int64) -> Bool {
        note.version == ObjectLedger.hash(version: object.version) && now < note.until
            // What was taken before the line may not have come to a batch.
            && (object.from == note.to || object.seen?.to == note.to)
    }

    /// Whether the unchanged objects are worth a batch that does nothing else.
    var isWorthABatch: Bool {
        unchanged.count >= Self.objectLimit
            || unchanged.values.reduce(0) { $0 + $1.comparedByteCount } >= Self.byteLimit
    }

    /// The ranges of unchanged objects, for a plan; by key, the first ones.
    func unchangedRanges(besides taken: Set<String>, limit: Int) -> [ObjectRange] {
        guard limit > 0 else { return [] }
        let ranges = unchanged.values.map(\.range).filter { !taken.contains($0.key) }
        return Array(ranges.sorted { $0.key < $1.key }.prefix(limit))
    }
}
