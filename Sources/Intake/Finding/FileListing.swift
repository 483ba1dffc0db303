import Glibc
import ObjectStorage

/// A file at a pattern, and what the file system says of it.
struct ListedFile: Hashable {
    var path: String
    var status: LogFileStatus
    /// What the spool says of it when it is a copy there.
    var copied: SpooledFile?

    var found: FoundFile {
        FoundFile(
            path: path,
            byteCount: status.byteCount,
            modified: status.modified / 1_000,
            inode: status.id.inode
        )
    }
}

/// What lies at the patterns of a source at one moment: one stat for each file, none is opened.
struct FileListing {
    /// Oldest first, those of one time by path.
    private(set) var files: [ListedFile] = []
    private(set) var remarks: [TailedFileSource.Remark] = []
    /// Whether every folder that holds a pattern is there.
    private(set) var isWhole = true
    /// What could not be looked at now, and may hold what seems to be gone.
    private(set) var hidden: [String] = []
    /// Ids of files whose copies in the spool are gone or shorter than they were.
    private(set) var damagedCopies: Set<String> = []
    /// Whether a file is at the patterns.
    private(set) var hasOriginals = false
    private var indexes: [FileID: Int] = [:]

    /// Looks at a source, and brings up to date what its `current_logfiles` says.
    ///
    /// - Throws: `StorageError` for a file that is there but may not be looked at.
    init(of source: TailedFileSource, current: inout CurrentLogfiles) throws {
        if let path = source.currentLogfiles, !(try current.refresh(path)) {
            remarks.append(.namesNoLog(path: path))
        }
        for pattern in source.patterns.isEmpty ? current.patterns : source.patterns {
            try add(pattern)
        }
        hasOriginals = !files.isEmpty
        if let folder = source.spool { addCopies(in: folder) }
        files.sort { ($0.status.modified, $0.path) < ($1.status.modified, $1.path) }
        indexes = [:]
    }

    /// Adds the copies of a spool, each as long as its manifest says and as old as the file that it was made of.
    ///
    /// A spool that cannot be read keeps nothing else from being read.
    private mutating func addCopies(in folder: String) {
        let damaged = (try? SpoolDisk.damaged(in: folder)) ?? []
        remarks += damaged.map { .spoolIsUnreadable(path: $0) }
        do {
            for file in try SpoolManifest.read(folder)?.files ?? [] {
                guard let copy = file.copy else { continue }
                let path = "\(folder)/\(copy)"
                guard var status = try LogFileStatus.at(path), status.byteCount >= file.end else {
                    // One that was read may be removed between manifest and copy.
                    let isNamed = try SpoolManifest.read(folder)?.files.contains { $0.copy == copy } ?? false
                    if isNamed {
                        remarks.append(.copyIsDamaged(path: path, original: file.path))
                        damagedCopies.insert(file.id)
                    } else {
                        hidden.append(path)
                    }
                    isWhole = false
                    continue
                }
                status.byteCount = file.end
                status.modified = file.modified
                files.append(ListedFile(path: path, status: status, copied: file))
            }
        } catch {
            remarks.append(.spoolIsUnreadable(path: folder))
            hidden.append(folder)
            isWhole = false
        }
    }

    private mutating func add(_ pattern: String) throws {
        // A pattern that names compressed files has no compressed siblings.
        let suffixes = Compression(path: pattern) == nil ? [""] + Compression.suffixes : [""]
        var count = 0
        var listsAll = true
        for suffix in suffixes {
            let (paths, isWhole) = Self.find(pattern + suffix)
            count += paths.count
            listsAll = listsAll && isWhole
            for path in paths { try addFile(path) }
        }
        if !listsAll {
            hidden.append(pattern)
            remarks.append(.cannotBeListed(pattern: pattern))
        }
        if count == 0 {
            try checkFolder(of: pattern)
            remarks.append(.nothingMatches(pattern: pattern))
        }
    }

    private mutating func addFile(_ path: String) throws {
        guard let status = try LogFileStatus.at(path) else {
            // Renamed since: it is met under its new name by the next look. A link that leads nowhere holds nothing.
            isWhole = false
            if !Self.isLink(path) { hidden.append(path) }
            return
        }
        if status.isFolder {
            let remark = TailedFileSource.Remark.isFolder(path: path)
            if !remarks.contains(remark) { remarks.append(remark) }
        } else if status.isRegular {
            let file = ListedFile(path: path, status: status)
            guard let index = indexes[status.id] else {
                indexes[status.id] = files.count
                return files.append(file)
            }
            if files[index].path != path, Self.isOwnName(path),
                !Self.isOwnName(files[index].path) || path < files[index].path
            {
                files[index] = file
            }
        }
    }

    /// Whether a path is free of links.
    private static func isOwnName(_ path: String) -> Bool {
        guard let resolved = realpath(path, nil) else { return false }
        defer { free(resolved) }
        return String(cString: resolved) == path
    }

    private static func isLink(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
    }

    /// The paths that match a pattern, in no order.
    static func expand(_ pattern: String) -> [String] { find(pattern).paths }

    /// The paths that match a pattern, in no order, and whether all folders on the way could be listed.
    private static func find(_ pattern: String) -> (paths: [String], isWhole: Bool) {
        // Stops at a folder that is there and cannot be listed; one that is gone holds nothing.
        let stops: @convention(c) (UnsafePointer<CChar>?, Int32) -> Int32 = { _, number in
            number == ENOENT || number == ENOTDIR ? 0 : 1
        }
        if let paths = expand(pattern, stops) { return (paths, true) }
        return (expand(pattern, nil) ?? [], false)
    }

    /// Expands a pattern; nil when a folder was met that `stops` stops at.
    private static func expand(
        _ pattern: String,
        _ stops: (@convention(c) (UnsafePointer<CChar>?, Int32) -> Int32)?
    ) -> [String]? {
        var results = glob_t()
        defer { globfree(&results) }
        let status = glob(pattern, GLOB_BRACE | GLOB_NOSORT, stops, &results)
        guard status == 0 else { return status == GLOB_ABORTED ? nil : [] }
        return (0..<Int(results.gl_pathc)).compactMap { index in
            results.gl_pathv[index].map { String(cString: $0) }
        }
    }

    /// Makes sure that nothing matched because there is nothing, not because the folder may not be listed.
    private mutating func checkFolder(of pattern: String) throws {
        let fixed = pattern.prefix { !"*?[{".contains($0) }
        guard let slash = fixed.lastIndex(of: "/"), slash > fixed.startIndex else { return }
        let path = String(fixed[..<slash])
        if let folder = opendir(path) {
            closedir(folder)
        } else if errno == EACCES {
            throw StorageError(errno: EACCES, operation: "read", path: path)
        } else {
            isWhole = false
        }
    }
}
