import BatchProtocol
import ObjectStorage

/// The objects of one source.
///
/// A look lists them and opens none. When there are more unread ones than are wanted at once, the rest is kept for the next
/// looks, and what arrives meanwhile is found after it.
///
/// Belongs to one thread.
package final class ObjectDrops {
    /// What became of an object that was to be opened.
    package enum Opening {
        /// It is read from the first unread byte on, or, as a correction, from its start.
        case unread(ObjectReader)
        /// Its lines are others than those that were read. The range has no bytes; a batch that keeps it leaves the object alone
        /// until it has another version.
        case prefixChanged(ObjectRange)
        /// It is compressed and cannot be decompressed as it is; later looks have a remark until it has another version.
        case unusable(ObjectIntegrity)
        /// It is gone, or was read meanwhile.
        case nothing
    }

    private enum Fault {
        case error(StorageError)
        case integrity(ObjectIntegrity)
    }

    private struct Failure {
        var fault: Fault
        var version: String
        /// In nanoseconds since 1970-01-01 UTC.
        var time: Int64
    }

    /// What the objects are named by.
    package let source: ObjectSource

    private let place: any ObjectPlace
    private let clock: () -> Int64
    /// Unread objects of the last listing, in order of arrival, the next one last.
    private var backlog: [FoundObject] = []
    private var lastReport = ListingReport()
    private var failures: [String: Failure] = [:]
    /// The reader that was given out last: a batch that ends within an object is followed by one that goes on there.
    private var last: ObjectReader?

    /// How long an object with a fault of its disk is left alone, in nanoseconds.
    private static let failureTime: Int64 = 60_000_000_000

    /// Has seen nothing yet.
    ///
    /// - Parameters:
    ///   - source: What the objects are named by.
    ///   - place: Where they lie; files unless told otherwise.
    ///   - clock: In nanoseconds since 1970-01-01 UTC; decides only when what could not be read is tried again.
    package init(
        source: ObjectSource,
        place: (any ObjectPlace)? = nil,
        clock: @escaping () -> Int64 = TailedFiles.kernelClock
    ) {
        self.source = source
        self.place = place ?? LocalObjects(patterns: source.patterns)
        self.clock = clock
    }

    // MARK: Looking

    /// What is unread.
    ///
    /// Nothing is when the look has no objects. When it has some, all of them may turn out to be read or gone as they are opened,
    /// and others may come in the next look.
    ///
    /// - Parameters:
    ///   - ledger: What earlier batches have read.
    ///   - limit: Objects that are wanted at the most; at least 1.
    /// - Returns: Objects to be opened, in order of arrival, what a person should know and what cannot be read.
    /// - Throws: `StorageError` when the place cannot be listed.
    /// - Complexity: One stat for each file that is there.
    package func look(after ledger: ObjectLedger, limit: Int) throws -> ObjectLook {
        precondition(limit > 0)
        if let key = last?.key, ledger.find(key)?.isFinished ?? true { last = nil }
        if !backlog.isEmpty { backlog = backlog.compactMap { refreshed($0, ledger) } }
        if backlog.isEmpty { try list(ledger) }
        return ObjectLook(
            objects: backlog.suffix(limit).reversed(),
            hasMore: backlog.count > limit,
            remarks: lastReport.remarks,
            unreadable: lastReport.unreadable
        )
    }

    private func refreshed(_ object: FoundObject, _ ledger: ObjectLedger) -> FoundObject? {
        var object = object
        object.seen = ledger.find(object.key)
        return object.seen?.version == ObjectLedger.hash(version: object.version) ? nil : object
    }

    private func list(_ ledger: ObjectLedger) throws {
        var found: [FoundObject] = []
        var unnamed: [ObjectSource.Remark] = []
        var failed: [String: Failure] = [:]
        var report = try place.list { listed in
            let seen = ledger.find(listed.key)
            if let seen, seen.version == ObjectLedger.hash(version: listed.version) { return }
            guard let key = String(validating: listed.key, as: UTF8.self) else {
                unnamed.append(.nameIsNotText(path: String(decoding: listed.key, as: UTF8.self)))
                return
            }
            let object = FoundObject(
                key: key,
                byteCount: listed.byteCount,
                modified: listed.modified,
                version: String(decoding: listed.version, as: UTF8.self),
                seen: seen
            )
            if let failure = failures[key], try isStillFailing(object, failure) {
                failed[key] = failure
            } else {
                found.append(object)
            }
        }
        failures = failed
        found.sort { ($1.modified, $1.key) < ($0.modified, $0.key) }
        backlog = []
        for object in found where object.key != backlog.last?.key { backlog.append(object) }
        report.remarks += unnamed
        lastReport = report
        for (key, failure) in failed.sorted(by: { $0.key < $1.key }) { tell(key, failure.fault) }
    }

    // MARK: What cannot be read

    /// An object could not be opened or read: it is told among the unreadable ones until that may have changed.
    ///
    /// An object without rights is tried again as soon as it has them, one with a faulty disk after a minute, both when they are
    /// replaced.
    package func setAside(_ object: FoundObject, _ error: StorageError) { setAside(object, .error(error)) }

    private func setAside(_ object: FoundObject, _ fault: Fault) {
        failures[object.key] = Failure(fault: fault, version: object.version, time: clock())
        drop(object)
        tell(object.key, fault)
    }

    private func tell(_ key: String, _ fault: Fault) {
        switch fault {
        case .error(let error):
            if !lastReport.unreadable.contains(error) { lastReport.unreadable.append(error) }
        case .integrity(.cut): lastReport.remarks.append(.endsTooEarly(key: key))
        case .integrity: lastReport.remarks.append(.isDamaged(key: key))
        }
    }

    private func isStillFailing(_ object: FoundObject, _ failure: Failure) throws -> Bool {
        guard failure.version == object.version else { return false }
        guard case .error(let error) = failure.fault else { return true }
        guard error.code == .permissionDenied else { return clock() - failure.time < Self.failureTime }
        do {
            return try place.open(object.key) == nil
        } catch let error as StorageError where error.concernsOneFile {
            return true
        }
    }

    private func drop(_ object: FoundObject) {
        // It is one of the next ones.
        guard let index = backlog.lastIndex(where: { $0.key == object.key }) else { return }
        backlog.remove(at: index)
    }

    // MARK: Opening

    /// Opens an object and compares it with what was read of it.
    ///
    /// - Throws: `StorageError`. One that concerns one file has set the object aside.
    package func open(_ object: FoundObject) throws -> Opening {
        do {
            let opening = try opening(of: object)
            switch opening {
            case .nothing: drop(object)
            case .unusable(let integrity): setAside(object, .integrity(integrity))
            case .unread(let reader): last = reader
            case .prefixChanged: break
            }
            return opening
        } catch let error as StorageError where error.concernsOneFile {
            setAside(object, error)
            throw error
        }
    }

    private func opening(of object: FoundObject) throws -> Opening {
        guard let bytes = try place.open(object.key) else { return .nothing }
        let status = bytes.status
        if object.seen?.version == ObjectLedger.hash(version: status.version) { return .nothing }
        if let reader = continued(object, status) { return .unread(reader) }
        let integrity = try bytes.check()
        guard integrity == .whole else { return .unusable(integrity) }
        guard let seen = object.seen, seen.to > 0 else {
            return .unread(ObjectReader(bytes, key: object.key, hashes: PieceHashes()))
        }
        let isCompressed = Compression(path: object.key) != nil
        let isFull = source.verifyPrefix == .full || isCompressed
        if isCompressed || status.byteCount >= seen.to,
            let hashes = try ObjectPrefix(bytes: bytes, seen: seen, isFull: isFull).verified()
        {
            return .unread(
                ObjectReader(
                    bytes,
                    key: object.key,
                    hashes: hashes,
                    isCorrection: seen.isUnfinishedCorrection
                )
            )
        }
        // Bytes that are being written are no news.
        guard try bytes.isUnchanged() else { return .nothing }
        switch source.onChange {
        case .reingest:
            let reader = ObjectReader(bytes, key: object.key, hashes: PieceHashes(), isCorrection: true)
            return .unread(reader)
        case .report:
            return .prefixChanged(Self.leftAlone(object.key, status, seen))
        }
    }

    /// The reader of the last batch, when the object was left unfinished there and is still the same.
    private func continued(_ object: FoundObject, _ status: ObjectStatus) -> ObjectReader? {
        guard let last, let seen = object.seen, last.key == object.key, last.status == status,
            last.to == seen.to,
            last.hashes.chain == seen.chain, last.hashes.rest == seen.rest
        else { return nil }
        return ObjectReader(
            last.bytes,
            key: last.key,
            hashes: last.hashes,
            isCorrection: seen.isUnfinishedCorrection
        )
    }

    private static func leftAlone(_ key: String, _ status: ObjectStatus, _ seen: SeenObject) -> ObjectRange {
        ObjectRange(
            key: key,
            version: status.version,
            byteCount: status.byteCount,
            modified: status.modified,
            from: seen.to,
            to: seen.to,
            hash: RangeHasher().digest,
            chain: seen.chain.description,
            rest: seen.rest.description,
            isWhole: true
        )
    }

    // MARK: Reading again

    /// Where a planned range can be read now: in the object, or in one of the same name that was compressed or decompressed since.
    ///
    /// - Returns: The bytes of the range and nothing else; nil when they are nowhere.
    /// - Throws: `StorageError`.
    package func locate(_ range: ObjectRange) throws -> ObjectReader? {
        let names = [range.key] + Compression.suffixes.map { range.key + $0 }
        for key in names + [Compression.plainPath(of: range.key)].compactMap(\.self) {
            guard let bytes = try place.open(key), try bytes.check() == .whole, try holds(bytes, range)
            else { continue }
            return ObjectReader(bytes, planned: range)
        }
        return nil
    }

    private func holds(_ bytes: any ObjectBytes, _ range: ObjectRange) throws -> Bool {
        let hasher = RangeHasher()
        var offset = range.from
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
            while offset < range.to {
                let wanted = Int(min(UInt64(buffer.count), range.to - offset))
                let count = try bytes.read(
                    at: offset,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                )
                guard count > 0 else { return }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                offset += UInt64(count)
            }
        }
        return offset == range.to && hasher.digest == range.hash
    }
}
