/// Why a commit cannot be made on top of what others have committed since it was planned.
package enum CommitConflict: Hashable, Sendable {
    /// The winner at `version` removed files that this commit removes as well; plan again without them.
    case filesGone(version: Int64, paths: [DataFilePath])
    /// The winner at `version` changed the protocol beyond this program, or both change it.
    case protocolChanged(version: Int64, DeltaLogError)
    /// The winner at `version` set metadata that does not go together with what this commit needs.
    case metadataChanged(version: Int64, DeltaLogError)
    /// The winner at `version` made another table of it, or partitioned it in another way.
    case tableReplaced(version: Int64)
    /// The table takes no removals of rows: `delta.appendOnly`.
    case appendOnly(version: Int64)
}

/// What the caller of ``CommitAttempt`` has to do.
package enum CommitStep: Hashable, Sendable {
    /// Create `_delta_log/<version>.json` with these bytes unless it exists, then report how it went.
    case put(version: Int64, bytes: [UInt8])
    /// Others changed the schema: this metadata goes into the commit. Accept it to go on.
    case mergeSchema(TableMetadata)
    /// The commit is in the table as this version.
    case committed(version: Int64)
    /// The batch was in the table before, at this version or an earlier one: drop this attempt's own data
    /// files.
    case alreadyCommitted(byVersion: Int64)
    /// The commit cannot be made: drop its data files, read the table again and plan anew.
    case conflict(CommitConflict)
}

/// How a ``CommitStep/put(version:bytes:)`` went.
package enum PutOutcome: Hashable, Sendable {
    /// The file was created by this put.
    case won
    /// The file existed; this is what it holds, decoded whole.
    case taken(Commit)
    /// No answer came, or one that does not tell: the file may or may not have been created.
    case unknown
}
