import BatchProtocol
import Intake

extension PostgresPipeline {
    /// What keeps losses from being told: it may hold their bytes, and cannot be looked at now.
    func remarksOnLosses(beside look: Look) -> [TailedFileSource.Remark] {
        guard let manifest = spool?.manifest, keeper?.isActive != true,
            manifest.refusedByteCount > 0 || !look.damagedCopies.isEmpty
        else { return [] }
        return look.hidden.map { .hidesLosses(path: $0) }
    }

    /// Takes down what was seen while the lake was down, and is nowhere now that all else is read.
    ///
    /// - Returns: A batch without rows that names it; nil when nothing is lost.
    /// - Throws: `PipelineError` with code `sourceLost` under `on_data_loss: fail`.
    func stageLoss(_ batch: UInt64, beside look: Look, after state: ShardState) throws -> StagedBatch? {
        guard let manifest = spool?.manifest, look.hidden.isEmpty, keeper?.isActive != true else {
            return nil
        }
        let reckoning = manifest.reckoning(after: state, beside: look)
        if !reckoning.settled.isEmpty { spoolHolder?.attempt { try $0.settle(reckoning.settled) } }
        let lost = reckoning.lost
        guard !lost.isEmpty else {
            // An earlier process may have ended while the lake was down.
            spoolHolder?.attempt { try $0.end() }
            return nil
        }
        let words = lost.map { "\($0.gap.path): bytes \($0.gap.from) to \($0.gap.to)" }
        guard settings.onDataLoss == .continue else {
            throw PipelineError(
                code: .sourceLost,
                message:
                    "\(words.joined(separator: "; ")) were seen while the lake was down and vanished before they could be kept; all else is in the lake",
                mend:
                    "bring the bytes back in a file that the pipeline's patterns match, or set `on_data_loss: continue` to go on without them"
            )
        }
        var staged = StagedBatch(
            ranges: lost.enumerated().map { index, lost in
                var file = lost.file
                if !lost.isKnown { file.id = "\(batch)-\(index)" }
                // Known up to here: nothing before is wanted any more.
                return SourceRange(file: file, from: file.offset, hash: RangeHasher().digest)
            }
        )
        staged.vanished = lost.map(\.gap)
        staged.expectations = [
            ExpectationResult(
                name: "source_gap",
                rule: "bytes of a log are read or spooled before they vanish",
                action: .warn,
                checked: lost.count,
                failed: lost.count,
                samples: Array(words.prefix(10))
            )
        ]
        return staged
    }
}
