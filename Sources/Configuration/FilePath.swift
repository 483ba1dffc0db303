import FoundationEssentials

/// Paths as text, made absolute without asking the file system.
enum FilePath {
    /// `path` as an absolute path; a relative one counts from `folder`.
    ///
    /// `.` and leading `..` steps are resolved by text; wildcards stay as they are.
    static func absolute(_ path: String, from folder: String) -> String {
        var steps: [Substring] = []
        for step in (path.hasPrefix("/") ? path : "\(folder)/\(path)").split(separator: "/") {
            if step == "." { continue }
            if step == ".." { _ = steps.popLast() } else { steps.append(step) }
        }
        return "/" + steps.joined(separator: "/")
    }

    /// The absolute folder of a file that the caller named, relative to the working directory if need be.
    static func folder(ofFile path: String) -> String {
        let file = absolute(path, from: FileManager.default.currentDirectoryPath)
        return String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)])
    }
}
