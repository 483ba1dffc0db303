/// What happens when bytes that a plan names have vanished.
package enum DataLossPolicy: String, CaseIterable, Sendable {
    /// The pipeline stops.
    case fail
    /// What is left is committed, and the gap recorded.
    case `continue`
}
