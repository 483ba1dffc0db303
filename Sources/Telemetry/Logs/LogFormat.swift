/// How log lines are written.
package enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// Time, level, pipeline and message, for people.
    case text
    /// One JSON object a line, with typed fields, for programs.
    case json
}
