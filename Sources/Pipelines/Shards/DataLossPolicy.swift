/// What to do when bytes that a plan names are gone.
package enum DataLossPolicy: String, Hashable, Sendable {
    /// Stop with an error.
    case fail
    /// Commit what is left and record the gap.
    case `continue`
}
