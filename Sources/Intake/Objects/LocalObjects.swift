import ObjectStorage

/// The files at some patterns, as objects.
///
/// A look costs one stat a file and allocates nothing for one. Links are followed; a folder or file that is reached by
/// several names is there once, by its own.
package final class LocalObjects: ObjectPlace {
    private let patterns: [String]

    /// Names files by patterns with absolute paths.
    package init(patterns: [String]) { self.patterns = patterns.flatMap(FilePattern.texts(of:)) }

    package func list(_ body: (ListedObject) throws -> Void) throws -> ListingReport {
        var report = ListingReport()
        var walk = FolderWalk()
        for text in patterns {
            let isFolder = try LogFileStatus.at(text)?.isFolder ?? false
            let pattern = ObjectPattern(text, isFolder: isFolder)
            if try walk.walk(pattern, body) == 0 { report.remarks.append(.nothingMatches(pattern: text)) }
        }
        report.unreadable = walk.unreadable
        return report
    }

    package func open(_ key: String) throws -> (any ObjectBytes)? {
        guard let reader = try FileReader.openIfThere(key) else { return nil }
        let status = try reader.file.status(path: key)
        return status.isRegular ? FileObject(reader, status) : nil
    }
}
