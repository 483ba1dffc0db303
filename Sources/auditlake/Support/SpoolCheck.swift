import Catalog
import Foundation
import Intake
import ObjectStorage
import Pipelines

/// Looks whether a pipeline's logs could be kept while its lake is down.
struct SpoolCheck {
    private let name: String
    private let settings: SpoolSettings?
    /// The lake's folder; nil for a bucket.
    private let lake: String?

    init(_ settings: PostgresPipelineSettings, _ lake: Lake) {
        name = settings.name
        self.settings = settings.spool
        self.lake = lake.store.isLocal ? lake.store.root : nil
    }

    var findings: [Finding] {
        guard let settings else {
            return [
                Finding(.warning, name, "nothing is kept while the lake is down", mend: "take spool: off out")
            ]
        }
        do {
            return try rights(settings) + space(settings) + disk(settings) + content(settings)
        } catch {
            let report = ErrorReport(error)
            return [Finding(.bad, name, "the spool: \(report.message)", mend: report.mend)]
        }
    }

    /// The folder, or the one that it will be made in.
    private func existingFolder(_ settings: SpoolSettings) throws -> String {
        try existing(settings.folder)
    }

    private func existing(_ path: String) throws -> String {
        var path = path
        while try PosixFileSystem().status(path) == nil, let slash = path.lastIndex(of: "/"),
            slash > path.startIndex
        {
            path = String(path[..<slash])
        }
        return path
    }

    private func rights(_ settings: SpoolSettings) throws -> [Finding] {
        let folder = try existingFolder(settings)
        guard access(folder, W_OK | X_OK) != 0 else { return [] }
        return [
            Finding(
                .bad,
                name,
                "the spool \(settings.folder) cannot be written: \(String(cString: strerror(errno)))",
                mend: "give this user the right to write \(folder), or name another with spool: folder"
            )
        ]
    }

    private func space(_ settings: SpoolSettings) throws -> [Finding] {
        let free = try Spool.freeByteCount(try existingFolder(settings))
        let floor = settings.limits.diskFloor
        guard free < floor + settings.limits.byteCount else {
            return [
                Finding(
                    .good,
                    name,
                    "the spool \(settings.folder) may take \(settings.limits.byteCount) bytes"
                )
            ]
        }
        let room = free > floor ? free - floor : 0
        return [
            Finding(
                .warning,
                name,
                "the spool \(settings.folder) has room for \(room) bytes: its disk has \(free) free and keeps \(floor)",
                mend: "free some space, name a folder on another disk, or lower spool: disk_floor"
            )
        ]
    }

    private func disk(_ settings: SpoolSettings) throws -> [Finding] {
        guard let lake, try device(lake) == device(settings.folder) else { return [] }
        return [
            Finding(
                .good,
                name,
                "the spool \(settings.folder) lies on the lake's disk, and keeps nothing when that is full or gone; spool: folder names another"
            )
        ]
    }

    private func device(_ path: String) throws -> dev_t {
        let path = try existing(path)
        var information = stat()
        guard stat(path, &information) == 0 else {
            throw StorageError(errno: errno, operation: "look at", path: path)
        }
        return information.st_dev
    }

    private func content(_ settings: SpoolSettings) throws -> [Finding] {
        guard let manifest = try SpoolManifest.read(settings.folder) else { return [] }
        return [
            Finding(
                .warning,
                name,
                "the spool holds \(manifest.byteCount) bytes that no batch has yet",
                mend: "auditlake run brings them into the lake"
            )
        ]
    }
}
