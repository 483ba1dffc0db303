import BatchProtocol
import ObjectStorage

/// Tails log files into a spool while the lake is down.
///
/// Files are told apart as by a run: the same looks, with what is copied taken as read.
///
/// Belongs to one thread.
package final class SpoolSession {
    /// What the spool holds after a step.
    package struct Report: Hashable, Sendable {
        /// Bytes of all copies.
        package var byteCount: UInt64
        /// Bytes that were seen and not copied.
        package var refusedByteCount: UInt64
        /// Why they were not.
        package var refusal: Spool.Refusal?
        /// Files that could not be read, or copies that could not be written.
        package var errors: [StorageError]
    }

    private let spool: Spool
    private let files: TailedFiles
    private let since: Int64
    private let reason: String
    /// How far batches have read each file.
    private let read: [TrackedFile]
    /// How far each file was read or copied.
    private var tracked: [TrackedFile]

    /// Begins to spool.
    ///
    /// - Parameters:
    ///   - spool: Receives the copies.
    ///   - source: The files.
    ///   - positions: How far batches have read them; nil for what was noted last.
    ///   - reason: What the lake failed with.
    ///   - now: Microseconds since 1970-01-01 UTC.
    ///   - clock: The clock that the kernel stamps files with, in nanoseconds since 1970-01-01 UTC.
    /// - Throws: `StorageError`.
    package init(
        _ spool: Spool,
        source: TailedFileSource,
        after positions: [TrackedFile]?,
        reason: String,
        now: Int64,
        clock: @escaping () -> Int64 = TailedFiles.kernelClock
    ) throws {
        self.spool = spool
        since = now
        self.reason = reason
        var source = source
        source.spool = nil
        files = TailedFiles(source: source, clock: clock)
        read = try positions ?? spool.recallPositions()
        tracked = read
        try spool.begin(since: now, reason: reason, isFromStart: tracked.isEmpty)
        for file in spool.manifest?.files ?? [] {
            guard let copied = file.tracked else { continue }
            guard let index = tracked.firstIndex(where: { $0.id == file.id }) else {
                tracked.append(copied)
                continue
            }
            if tracked[index].offset < copied.offset { tracked[index] = copied }
        }
    }

    /// Looks once and copies what is new.
    ///
    /// - Parameter isStopped: Ends the copying soon, also in the middle of a file.
    /// - Returns: What the spool holds then.
    /// - Throws: `StorageError` for a folder that cannot be listed.
    package func step(unless isStopped: () -> Bool = { false }) throws -> Report {
        // Somebody may have ended the outage too early.
        try spool.begin(since: since, reason: reason, isFromStart: false)
        let damaged = try spool.damaged()
        for id in damaged { forgetCopy(id) }
        let look: Look
        do {
            look = try files.look(after: ShardState(files: tracked), unless: isStopped)
        } catch is LookCalledOff {
            return report()
        }
        var errors = look.unreadable
        var refusal: Spool.Refusal?
        for file in look.files where !isStopped() {
            do {
                guard let reader = try file.open() else { continue }
                let id =
                    try file.tracked?.id ?? spool.idOfRefused(head: file.head)
                    ?? spool.idOfDamaged(reader, among: damaged) ?? spool.newID()
                let host = files.source.host
                guard let taken = try spool.take(file, reader, id: id, host: host, unless: isStopped) else {
                    continue
                }
                refusal = refusal ?? taken.refusal
                if let copied = taken.tracked { note(copied) }
            } catch let error as StorageError {
                errors.append(error)
            }
        }
        for copy in look.finishedCopies {
            // Nothing of it is wanted: it is kept in mind as long as this process lives.
            guard let reader = try copy.open() else { continue }
            let id = spool.newID()
            tracked.append(try reader.track(id: id, host: files.source.host, upTo: copy.found.byteCount))
        }
        if !isStopped() { spool.endStart() }
        do {
            try spool.store()
        } catch let error as StorageError {
            errors.append(error)
        }
        return report(refusal, errors)
    }

    private func report(_ refusal: Spool.Refusal? = nil, _ errors: [StorageError] = []) -> Report {
        let manifest = spool.manifest
        return Report(
            byteCount: manifest?.byteCount ?? 0,
            refusedByteCount: manifest?.refusedByteCount ?? 0,
            refusal: refusal,
            errors: errors
        )
    }

    /// What a copy held that is gone or was cut is wanted once more, if it is anywhere.
    private func forgetCopy(_ id: String) {
        tracked.removeAll { $0.id == id }
        if let former = read.first(where: { $0.id == id }) { tracked.append(former) }
    }

    private func note(_ file: TrackedFile) {
        if let index = tracked.firstIndex(where: { $0.id == file.id }) {
            tracked[index] = file
        } else {
            tracked.append(file)
        }
    }
}
