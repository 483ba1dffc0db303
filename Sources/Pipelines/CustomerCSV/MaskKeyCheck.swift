import AuditFormats
import BatchProtocol

/// Makes sure that a pipeline's rows all have hashes of one key: with another one, rows that were read would not be known
/// again, and masked values of one content would differ.
enum MaskKeyCheck {
    private static let key = "mask/key"

    /// Compares the key with that of earlier batches.
    ///
    /// - Parameters:
    ///   - settings: Have the key.
    ///   - state: The state after the last batch.
    ///   - pipeline: The pipeline's name, for the error.
    /// - Returns: What the next batch adds to the state.
    /// - Throws: `PipelineError` with code `tableMismatch` when it is another one.
    static func changes(
        _ settings: CustomerCSVSettings,
        after state: ShardState,
        of pipeline: String
    ) throws -> [StateChange] {
        let present = settings.maskKeyFingerprint ?? ""
        guard let known = state.values[key] else { return [StateChange(key: key, value: present)] }
        guard known != present else { return [] }
        throw PipelineError(
            code: .tableMismatch,
            message:
                "the table of \(pipeline) was filled with another mask_key than the configuration has now",
            mend:
                "bring the former mask_key back, or give the pipeline another name and table to load everything anew"
        )
    }
}
