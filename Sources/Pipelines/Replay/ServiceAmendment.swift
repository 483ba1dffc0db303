import AuditFormats
import BatchProtocol

/// Services and keys that a replay found in rows of earlier batches.
///
/// They enter the shard's state by a batch without rows, so that later batches know them by the same names.
struct ServiceAmendment {
    /// The services that the replay began with.
    var known: [ServiceSchema]
    /// The services as they are after it.
    var grown: [ServiceSchema]
}

extension DatabricksPipeline {
    /// A batch that has no rows and changes what is known of services.
    ///
    /// - Throws: `PipelineError` with code `unsettled` when a batch has changed it since the replay began: it may have
    ///   named the same keys otherwise.
    func stage(
        _ amendment: ServiceAmendment,
        plannedAt: Int64,
        after state: ShardState
    ) throws -> StagedBatch {
        let known = try KnownServices(state)
        guard known.services == amendment.known else {
            throw PipelineError(
                code: .unsettled,
                message: "a batch brought new services or keys while they were replayed; nothing was swapped",
                mend: "run the command again"
            )
        }
        var staged = StagedBatch()
        staged.stateChanges = try known.changes(to: amendment.grown, plannedAt: plannedAt)
        return staged
    }

    /// Puts what a replay found into the shard's state, once.
    func learn(_ amendment: ServiceAmendment) throws {
        self.amendment = amendment
        var run = try open()
        while self.amendment != nil || run.hasOpenBatch { _ = try run.advance() }
    }
}
