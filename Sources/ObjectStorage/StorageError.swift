import Glibc

/// A file operation that failed.
package struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Why it failed.
    package enum Code: Hashable, Sendable {
        /// There is no such file.
        case notFound
        /// The file is there already.
        case exists
        /// The process may not do this.
        case permissionDenied
        /// The file system is mounted read-only.
        case readOnly
        /// The disk or the quota is full.
        case noSpace
        /// A folder stands where a file was expected, or the reverse.
        case wrongKind
        /// Anything else, by `errno`.
        case other(Int32)
    }

    /// Why it failed.
    package var code: Code
    /// What was being done: `read`, `write`, `sync`, `link` and so on.
    package var operation: String
    /// The file.
    package var path: String
    /// What happened, where the code does not say it all.
    package var detail: String?
    /// What a person can do about it, where that is not what the code says.
    package var advice: String?

    /// Creates an error.
    package init(code: Code, operation: String, path: String) {
        self.code = code
        self.operation = operation
        self.path = path
    }

    /// Creates an error from the calling thread's `errno` value.
    package init(errno number: Int32, operation: String, path: String) {
        let code: Code =
            switch number {
            case ENOENT: .notFound
            case EEXIST: .exists
            case EACCES, EPERM: .permissionDenied
            case EROFS: .readOnly
            case ENOSPC, EDQUOT: .noSpace
            case EISDIR, ENOTDIR: .wrongKind
            default: .other(number)
            }
        self.init(code: code, operation: operation, path: path)
    }

    /// Whether trying again later, without a change by a person, can help.
    package var isRetryable: Bool {
        switch code {
        case .other(EINTR), .other(EAGAIN), .other(EIO), .other(ESTALE): true
        default: false
        }
    }

    /// Whether it says something of this one file, and nothing of others: rights, a bad block, or that it is another one now.
    package var concernsOneFile: Bool {
        code == .permissionDenied || code == .other(EIO) || code == .other(ESTALE)
    }

    /// What happened, in words.
    package var description: String {
        let reason = detail ?? words
        return "cannot \(operation) \(path): \(reason)"
    }

    private var words: String {
        switch code {
        case .notFound: "no such file or folder"
        case .exists: "it exists already"
        case .permissionDenied: "permission denied"
        case .readOnly: "the file system is read-only"
        case .noSpace: "no space left on the disk"
        case .wrongKind: "a folder stands where a file is expected, or the reverse"
        case .other(let number): String(cString: strerror(number))
        }
    }

    /// What a person can do about it.
    package var mend: String {
        if let advice { return advice }
        return switch code {
        case .notFound: "check the path"
        case .exists: "use another name"
        case .permissionDenied: "give this user the right to \(operation) it, or run as another user"
        case .readOnly: "remount it writable, or choose another folder"
        case .noSpace: "free some space and run the same command again; nothing is lost"
        case .wrongKind: "check the path"
        case .other: "look into the system's log, then run the same command again"
        }
    }
}
