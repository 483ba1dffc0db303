import Intake

/// Something about a source that a person should know.
package enum SourceRemark: Hashable, Sendable {
    /// Of tailed files.
    case files(TailedFileSource.Remark)
    /// Of delivered objects.
    case objects(ObjectSource.Remark)
    /// What was read of an object is not what it has now; it was left alone.
    case prefixChanged(key: String)
    /// The same, and it is read again from its start.
    case readAgain(key: String)
}
