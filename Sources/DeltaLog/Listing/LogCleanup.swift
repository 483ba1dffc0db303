import JSONText

/// A file of the log as a listing shows it.
package struct LogFile: Hashable, Sendable {
    /// Name without its folder.
    package var name: String
    /// Time of its last change in milliseconds since 1970.
    package var modificationTime: Int64

    package init(name: String, modificationTime: Int64) {
        self.name = name
        self.modificationTime = modificationTime
    }
}

/// Decides which files of the log nobody needs any more.
///
/// Source: protocol section "Metadata Cleanup".
package struct LogCleanup: Hashable, Sendable {
    /// The checkpoint at which the log begins afterwards, nil when nothing may be deleted.
    ///
    /// It and all behind it stay, so that every version from here on can be loaded.
    package let firstVersion: Int64?
    /// Names of the files that may be deleted, oldest version first; delete them in this order.
    package let deletable: [String]

    /// Chooses the files.
    ///
    /// The newest commit that is as old as the retention, and with it all before, is the cutoff; the log then
    /// begins with the newest complete checkpoint not after the cutoff. Of the versions before that
    /// checkpoint, the files that are as old as the retention go. Times are compared with midnight UTC, so a
    /// run every minute decides the same all day.
    ///
    /// - Parameters:
    ///   - files: The whole listing of `_delta_log`.
    ///   - retention: How long the log stays in milliseconds; see ``TableRetention``.
    ///   - now: Current time in milliseconds since 1970.
    /// - Complexity: O(n log n) in the number of files.
    package init(files: [LogFile], retention: Int64, now: Int64) {
        let (limit, overflow) = now.subtractingReportingOverflow(retention)
        let cutoff = overflow ? .min : limit - floorDivide(limit, by: 86_400_000).remainder
        let commits = files.compactMap { file -> (version: Int64, time: Int64)? in
            guard case .commit(let version) = LogFileName(file.name) else { return nil }
            return (version, file.modificationTime)
        }.sorted { $0.version < $1.version }
        guard let last = commits.prefix(while: { $0.time <= cutoff }).last?.version,
            let first = Self.checkpoint(in: files, upTo: last)
        else {
            firstVersion = nil
            deletable = []
            return
        }
        firstVersion = first
        deletable =
            files
            .filter { $0.modificationTime <= cutoff && (LogFileName($0.name)?.version ?? first) < first }
            .map(\.name)
            .sorted(by: utf8Precedes)
    }

    /// The checkpoint from which `version` is loaded; a log with a gap before it is left as it is.
    private static func checkpoint(in files: [LogFile], upTo version: Int64) -> Int64? {
        do {
            return try LogSegment(names: files.lazy.map(\.name), upTo: version).checkpointVersion
        } catch {
            return nil
        }
    }
}
