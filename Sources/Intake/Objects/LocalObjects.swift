import ObjectStorage

/// The files at some patterns, as objects.
///
/// A look costs one stat a file and allocates nothing for one. Links are followed, after what lies there itself; a file that
/// several names lead to is listed by each of them.
package final class LocalObjects: ObjectPlace {
    private let patterns: [String]

    /// Names files by patterns with absolute paths.
    package init(patterns: [String]) { self.patterns = patterns.flatMap(FilePattern.texts(of:)) }

    package func list(_ body: (ListedObject) throws -> Void) throws -> ListingReport {
        var report = ListingReport()
        var walk = FolderWalk()
        for pattern in try present() {
            let count = try walk.walk(pattern, body)
            if count == 0 { report.remarks.append(.nothingMatches(pattern: pattern.text)) }
        }
        report.unreadable = walk.unreadable
        return report
    }

    private func present() throws -> [ObjectPattern] {
        try patterns.map { text in
            ObjectPattern(text, isFolder: try LogFileStatus.at(text)?.isFolder ?? false)
        }
    }

    package func folders() throws -> [String] {
        var folders: [String] = []
        for folder in try present().map(\.folder) where !folders.contains(folder) { folders.append(folder) }
        return folders
    }

    package func means(_ key: String) throws -> Bool { try present().contains { $0.means(path: key) } }

    package func open(_ key: String) throws -> (any ObjectBytes)? {
        guard let reader = try FileReader.openIfThere(key) else { return nil }
        let status = try reader.file.status(path: key)
        return status.isRegular ? FileObject(reader, status) : nil
    }
}
