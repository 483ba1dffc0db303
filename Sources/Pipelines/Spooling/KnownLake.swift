import BatchProtocol
import Catalog
import Intake
import ObjectStorage

extension PipelineSettings {
    /// Looks whether a lake that batches have filled is there; writes nothing.
    ///
    /// What follow mode has noted of files that were read outlives the lake's folder: where the disk is not mounted, or
    /// somebody has moved the lake, nothing is to be begun in its place.
    ///
    /// - Throws: `StorageError` with code `notFound` when it is not; a run that follows takes the lake as down.
    package func demandKnownLake(_ lake: Lake) throws {
        guard case .postgres(let settings) = self, let folder = settings.spool?.folder,
            Self.hasPositions(folder)
        else { return }
        let shard = ShardPath(pipeline: name, shard: 0)
        guard try !lake.store.exists(shard.identity) else { return }
        var error = StorageError(code: .notFound, operation: "read", path: lake.store.root)
        error.detail =
            "batches of the pipeline \(name) went into this lake, and nothing of them is there"
        error.advice =
            "bring the lake back or mount its disk; to load everything anew, remove \(Spool.positionsPath(in: folder))"
        throw error
    }

    /// Whether batches have read any file: also when the note of it cannot be read.
    private static func hasPositions(_ folder: String) -> Bool {
        do { return try !Spool.positions(in: folder).isEmpty } catch { return true }
    }
}
