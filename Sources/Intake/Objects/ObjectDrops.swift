import BatchProtocol
import CByteScan
import Glibc
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
        /// A cut one that is fresh may still be being written.
        case unusable(ObjectIntegrity, isFresh: Bool)
        /// It is gone, or was read meanwhile.
        case nothing
    }

    /// When a look lists the place.
    package enum Listing: Sendable {
        /// When nothing is left of the objects of the last listing.
        case onceAllIsGiven
        /// In any case.
        case anew
        /// Not at all: the look has what is left.
        case never
    }

    /// What the objects are named by.
    package let source: ObjectSource

    let place: any ObjectPlace
    private let clock: () -> Int64
    /// Unread objects of the last listing, in order of arrival, the next one last.
    private var backlog: [FoundObject] = []
    private var lastReport = ListingReport()
    private var lastLeftAlone = LeftAloneObjects()
    private var failures: [String: ObjectFailure] = [:]
    private var notes = ObjectNotes()
    private var names = ObjectNames()
    /// Objects of the last listing.
    private var objectCount = 0
    /// Hashes of the keys of objects that are not known and older than what is kept in mind: those of the last listing of
    /// all, and of those that came by themselves since.
    private var tooOld: Set<UInt64> = []
    /// The reader that was given out last: a batch that ends within an object is followed by one that goes on there.
    var last: ObjectReader?

    /// How long an object with a fault of its disk is left alone, in nanoseconds.
    private static let failureTime: Int64 = 60_000_000_000
    /// How long nobody has written to an object that is complete whatever it ends with, in nanoseconds.
    private static let quietTime: Int64 = 60_000_000_000

    /// Has seen nothing yet.
    ///
    /// - Parameters:
    ///   - source: What the objects are named by.
    ///   - place: Where they lie; files unless told otherwise.
    ///   - clock: In nanoseconds since 1970-01-01 UTC; decides when what could not be read is tried again, and whether an
    ///     object may still be being written.
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
    ///   - formerFolders: Where the objects may have lain when earlier batches read them: what `folders` gave then.
    ///   - limit: Objects that are wanted at the most; at least 1.
    ///   - listing: When the place is listed.
    /// - Returns: Objects to be opened, in order of arrival, what a person should know and what cannot be read.
    /// - Throws: `StorageError` when the place cannot be listed.
    /// - Complexity: One stat for each file that is there.
    package func look(
        after ledger: ObjectLedger,
        formerFolders: [String] = [],
        limit: Int,
        listing: Listing = .onceAllIsGiven
    ) throws -> ObjectLook {
        precondition(limit > 0)
        names.others = formerFolders
        if let key = last?.key, ledger.find(key)?.isFinished ?? true { last = nil }
        if listing == .anew { backlog = [] }
        if !backlog.isEmpty { backlog = backlog.compactMap { refreshed($0, ledger) } }
        if backlog.isEmpty, listing != .never {
            repeat { try list(ledger) } while backlog.isEmpty && place.hasMore
        }
        let objects = backlog.suffix(limit).reversed().map { completed($0, ledger) }
        return ObjectLook(
            objects: objects,
            hasMore: backlog.count > limit,
            remarks: lastReport.remarks,
            unreadable: lastReport.unreadable,
            leftAlone: lastLeftAlone
        )
    }

    /// These objects of the last look will be opened next, in this order.
    package func expect(_ objects: [FoundObject]) { place.expect(objects) }

    /// The folders in which the objects lie now, for looks to come.
    ///
    /// - Throws: `StorageError`.
    package func folders() throws -> [String] { try place.folders() }

    /// Whether an object of this key is meant, if it is there.
    ///
    /// - Throws: `StorageError`.
    package func means(_ key: String) throws -> Bool { try place.means(key) }

    /// Bytes of last lines that are not finished and wait, by key.
    package var pending: [String: UInt64] { notes.pending }

    private func refreshed(_ object: FoundObject, _ ledger: ObjectLedger) -> FoundObject? {
        var object = object
        object.seen = ledger.find(object.key)
        return isKnown(object.seen, ObjectLedger.hash(version: object.version)) ? nil : object
    }

    private func completed(_ object: FoundObject, _ ledger: ObjectLedger) -> FoundObject {
        var object = object
        object.formerlySeen = names.seen(object, in: ledger)
        return object
    }

    /// Whether nothing of a version is wanted: a version that was left alone is, once changed objects are read again.
    private func isKnown(_ seen: SeenObject?, _ version: UInt64) -> Bool {
        guard let seen, seen.version == version else { return false }
        return !seen.isLeftAlone || source.onChange == .report
    }

    private func list(_ ledger: ObjectLedger) throws {
        names.folders = try names.others.isEmpty ? [] : place.folders()
        var found: [FoundObject] = []
        var unnamed: [ObjectSource.Remark] = []
        var tooOld: Set<UInt64> = []
        var leftAlone = LeftAloneObjects()
        var claims = ObjectClaims(expecting: objectCount)
        let known = { self.isKnown(ledger.find($0 as String), ObjectLedger.hash(version: $1 as String)) }
        var report = try place.list(unless: known) { listed in
            let seen = ledger.find(listed.key)
            guard claims.take(listed, seen: seen) else { return }
            if isKnown(seen, ObjectLedger.hash(version: listed.version)) {
                if seen?.isLeftAlone == true { leftAlone.take(listed.key) }
                return
            }
            if seen == nil, ledger.isTooOld(listed.modified) {
                tooOld.insert(bs_hash64(listed.key.baseAddress, listed.key.count))
                return
            }
            guard let key = String(validating: listed.key, as: UTF8.self) else {
                unnamed.append(.nameIsNotText(path: String(decoding: listed.key, as: UTF8.self)))
                return
            }
            let object = FoundObject(
                key: key,
                byteCount: listed.byteCount,
                modified: listed.modified,
                version: String(decoding: listed.version, as: UTF8.self),
                seen: seen,
                identity: listed.identity
            )
            found.append(object)
        }
        objectCount = claims.count
        found.removeAll { !claims.holds($0) }
        report.remarks += unnamed
        if report.isLeaptOver == nil { self.tooOld = tooOld } else { self.tooOld.formUnion(tooOld) }
        if !self.tooOld.isEmpty { report.remarks.append(.areTooOld(count: self.tooOld.count)) }
        // A look that leaps over some of them tells of those that the last whole one has seen.
        if report.isLeaptOver == nil || leftAlone.count > lastLeftAlone.count { lastLeftAlone = leftAlone }
        lastReport = report
        try leaveOutFailing(&found)
        notes.sift(&found, after: ledger, keeping: lastReport.isLeaptOver ?? { _ in false }, now: clock()) {
            completed($0, ledger)
        }
        for error in place.conclude(unread: found, failing: failures.values.map(\.object)) { tell(error) }
        found.sort { ($0.modified, $0.key) < ($1.modified, $1.key) }
        ObjectNames.leaveOneCompression(of: &found)
        backlog = []
        for object in found.reversed() where object.key != backlog.last?.key { backlog.append(object) }
    }

    private func leaveOutFailing(_ found: inout [FoundObject]) throws {
        guard !failures.isEmpty else { return }
        var failed = failures.filter { lastReport.isLeaptOver?($0.key) ?? false }
        try found.removeAll { object in
            guard let failure = failures[object.key], try isStillFailing(object, failure) else {
                return false
            }
            failed[object.key] = failure
            return true
        }
        failures = failed
        for (_, failure) in failed.sorted(by: { $0.key < $1.key }) { tell(failure) }
    }

    // MARK: What cannot be read

    /// An object could not be opened or read: it is told among the unreadable ones until that may have changed.
    ///
    /// An object without rights is tried again as soon as it has them, one with a faulty disk after a minute, both when they are
    /// replaced.
    package func setAside(_ object: FoundObject, _ error: StorageError) { setAside(object, .error(error)) }

    private func setAside(_ object: FoundObject, _ fault: ObjectFailure.Fault) {
        let failure = ObjectFailure(fault: fault, object: object, time: clock())
        failures[object.key] = failure
        passOver(object)
        tell(failure)
    }

    private func tell(_ failure: ObjectFailure) {
        if let remark = failure.remark { lastReport.remarks.append(remark) }
        if let error = failure.error(now: clock()) { tell(error) }
    }

    private func tell(_ error: StorageError) {
        if !lastReport.unreadable.contains(error) { lastReport.unreadable.append(error) }
    }

    private func isStillFailing(_ object: FoundObject, _ failure: ObjectFailure) throws -> Bool {
        guard failure.object.version == object.version else { return false }
        guard case .error(let error) = failure.fault else { return true }
        guard error.code == .permissionDenied else {
            // A clock that was set back does not make the wait longer.
            return (0..<Self.failureTime).contains(clock() - failure.time)
        }
        do {
            return try place.open(object.key) == nil
        } catch let error as StorageError where error.concernsOneFile {
            return true
        }
    }

    /// An object is not wanted now: the next looks have the others, until all of them were opened.
    package func passOver(_ object: FoundObject) {
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
            case .nothing: passOver(object)
            case .unread(let reader): last = reader
            case .unusable, .prefixChanged: break
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
        if isKnown(object.seen, ObjectLedger.hash(version: status.version)) { return .nothing }
        let lastWrite = bytes.lastWrite.map { $0 + Self.quietTime }
        let quietFrom = lastWrite.flatMap { $0 > clock() ? $0 : nil }
        let isCompressed = Compression(path: object.key) != nil
        // A compressed object tells by itself whether it is whole.
        let freshUntil = isCompressed ? nil : quietFrom
        if let reader = continued(object, status, freshUntil) { return .unread(reader) }
        let integrity = try bytes.check()
        guard integrity == .whole else {
            setAside(object, .integrity(integrity, freshUntil: quietFrom))
            return .unusable(integrity, isFresh: quietFrom != nil)
        }
        for seen in [object.formerlySeen, object.seen].compactMap(\.self) where seen.to > 0 {
            guard isCompressed || status.byteCount >= seen.to,
                let hashes = try ObjectPrefix(bytes: bytes, seen: seen, isFull: isFull(object)).verified()
            else { continue }
            return .unread(
                ObjectReader(
                    bytes,
                    key: object.key,
                    hashes: hashes,
                    freshUntil: freshUntil,
                    isCorrection: seen.isUnfinishedCorrection
                )
            )
        }
        guard let seen = object.seen, seen.to > 0 else {
            let reader = ObjectReader(bytes, key: object.key, hashes: PieceHashes(), freshUntil: freshUntil)
            return .unread(reader)
        }
        // Bytes that are being written are no news.
        guard try bytes.isUnchanged() else { return .nothing }
        switch source.onChange {
        case .reingest:
            return .unread(
                ObjectReader(
                    bytes,
                    key: object.key,
                    hashes: PieceHashes(),
                    freshUntil: freshUntil,
                    isCorrection: true
                )
            )
        case .report:
            return .prefixChanged(.leftAlone(object.key, status, seen))
        }
    }

    /// Whether all that was read of an object is compared.
    private func isFull(_ object: FoundObject) -> Bool {
        source.verifyPrefix == .full || Compression(path: object.key) != nil
    }

    /// The reader of the last batch, when the object was left unfinished there and is still the same.
    private func continued(
        _ object: FoundObject,
        _ status: ObjectStatus,
        _ freshUntil: Int64?
    ) -> ObjectReader? {
        guard let last, let seen = object.seen, last.key == object.key, last.status == status,
            last.to == seen.to,
            last.hashes.chain == seen.chain, last.hashes.rest == seen.rest
        else { return nil }
        return ObjectReader(
            last.bytes,
            key: last.key,
            hashes: last.hashes,
            freshUntil: freshUntil,
            isCorrection: seen.isUnfinishedCorrection
        )
    }

    // MARK: What was read

    /// Ends the reading of an object for a batch.
    ///
    /// - Returns: What the batch has of it; nil for nothing: it waits for the end of a line, or all of it was read before
    ///   (`unchangedRanges`).
    package func finish(_ reader: ObjectReader, of object: FoundObject) -> ObjectRange? {
        let range = reader.range
        notes.forget(object.key)
        if reader.hasEnded, !range.isWhole {
            notes.waits(reader, at: reader.to)
        }
        if reader.hasEnded { passOver(object) }
        guard range.rangeByteCount == 0 else { return range }
        if range.isWhole {
            let compared = isFull(object) ? range.to : range.to % UInt64(ObjectRange.pieceByteCount)
            notes.isUnchanged(object, range, comparedByteCount: compared)
        }
        return nil
    }

    /// Gives up what was read of an object for a batch, which ends inside a line: it waits to be written on, or to be quiet.
    package func postpone(_ reader: ObjectReader, of object: FoundObject) {
        notes.waits(reader, at: object.from)
        passOver(object)
    }

    /// Whether so many objects have new versions and nothing unread that a batch is worth it which keeps that in mind; until
    /// then a new process compares them once more.
    package var isUnchangedWorthABatch: Bool { notes.isWorthABatch }

    /// Ranges without bytes that say of objects which versions have nothing unread; the next batch keeps them in mind.
    ///
    /// - Parameters:
    ///   - taken: Keys that the batch has other ranges of.
    ///   - limit: Ranges that are wanted at the most.
    /// - Returns: The ranges, by key.
    package func unchangedRanges(besides taken: Set<String>, limit: Int) -> [ObjectRange] {
        notes.unchangedRanges(besides: taken, limit: limit)
    }
}
