import Foundation

/// A folder that only this user can enter (0700), for one query.
struct PrivateFolder {
    /// The folder's absolute path.
    let path: String

    /// Makes the folder in `parent`; the caller calls ``remove()``.
    init(in parent: String) throws(QueryError) {
        var template = Array("\(parent)/auditlake-query-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw QueryError(
                .fileSystem,
                "no folder can be made in \(parent): \(String(cString: strerror(errno)))"
            )
        }
        self.path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Removes the folder and all it holds.
    func remove() throws { try FileManager.default.removeItem(atPath: path) }

    /// Makes a file (0600) that has no name any more: it lives as long as somebody holds it open.
    ///
    /// The user's SQL may hold secrets; this way nothing of it stays behind however the process ends.
    func namelessFile(holding content: String = "") throws(QueryError) -> FileHandle {
        let file = "\(path)/\(UUID().uuidString)"
        let descriptor = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw QueryError(.fileSystem, "\(file) cannot be made: \(String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        unlink(file)
        do {
            try handle.write(contentsOf: Data(content.utf8))
            try handle.seek(toOffset: 0)
        } catch {
            throw QueryError(.fileSystem, "the temporary folder \(path) cannot be written: \(error)")
        }
        return handle
    }
}
