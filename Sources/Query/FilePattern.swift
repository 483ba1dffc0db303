/// DuckDB takes every path for a pattern.
enum FilePattern {
    /// The pattern that matches `path` and nothing else.
    static func literal(_ path: String) -> String {
        var pattern = ""
        for character in path {
            pattern += "*?[".contains(character) ? "[\(character)]" : String(character)
        }
        return pattern
    }
}
