import Glibc

/// A pattern without braces, taken apart at its slashes.
struct FilePattern: Hashable {
    /// The whole pattern.
    let text: String

    /// The patterns that one with braces stands for.
    static func alternatives(of text: String) -> [FilePattern] {
        expandBraces(Substring(text)).map(FilePattern.init)
    }

    /// The texts that one with braces stands for.
    static func texts(of text: String) -> [String] { expandBraces(Substring(text)) }

    /// The pattern of the folders that hold the files.
    var folder: String { Self.folder(of: text) }

    /// The pattern of the files' names.
    var name: String { Self.name(of: text) }

    /// Patterns of the folders from the first one with a wildcard on, from the top down: when one appears, there is more to
    /// watch.
    var variableFolders: [String] {
        var folders: [String] = []
        var rest = folder
        while rest.contains(where: { "*?[".contains($0) }) {
            folders.append(rest)
            rest = Self.folder(of: rest)
        }
        return folders.reversed()
    }

    /// Whether a name in a folder is meant.
    static func matches(_ pattern: String, _ name: String) -> Bool {
        fnmatch(pattern, name, FNM_PERIOD) == 0
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    private static func expandBraces(_ text: Substring) -> [String] {
        guard let open = text.firstIndex(of: "{"), let (parts, close) = alternatives(text, from: open) else {
            return [String(text)]
        }
        let ends = expandBraces(text[text.index(after: close)...])
        return parts.flatMap(expandBraces).flatMap { part in ends.map { "\(text[..<open])\(part)\($0)" } }
    }

    /// The parts between a brace and its counterpart, which is nil when it is not closed.
    private static func alternatives(
        _ text: Substring,
        from open: String.Index
    ) -> ([Substring], String.Index)? {
        var parts: [Substring] = []
        var depth = 0
        var start = text.index(after: open)
        var index = open
        while index < text.endIndex {
            switch text[index] {
            case "{": depth += 1
            case "}":
                depth -= 1
                if depth == 0 { return (parts + [text[start..<index]], index) }
            case "," where depth == 1:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
            index = text.index(after: index)
        }
        return nil
    }
}
