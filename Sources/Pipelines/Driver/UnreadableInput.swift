import Glibc
import ObjectStorage

/// Files that a run could not read, as the one error that ends it.
enum UnreadableInput {
    /// Files that the message names.
    private static let namedCount = 3

    /// The error; nil when all was read.
    static func error(_ errors: [StorageError]) -> (any Error)? {
        guard let first = errors.first else { return nil }
        // The run failed for the sake of its input, whatever was done with it.
        if errors.count == 1, first.operation == "read" { return first }
        let named = errors.prefix(namedCount).map(words).joined(separator: "; ")
        let rest = errors.count > namedCount ? "; and \(errors.count - namedCount) more" : ""
        return PipelineError(
            code: .unreadable,
            message: errors.count == 1 ? named : "\(errors.count) files cannot be read: \(named)\(rest)",
            mend: "\(mend(errors)); everything else was loaded"
        )
    }

    private static func mend(_ errors: [StorageError]) -> String {
        if errors.allSatisfy({ $0.operation == "decompress" }) { return "bring sound copies" }
        return errors.count == 1 ? errors[0].mend : "mend what is said of each"
    }

    private static func words(_ error: StorageError) -> String {
        switch error.code {
        case .other(EBADMSG): "\(error.path) is damaged and cannot be decompressed"
        case .other(ENODATA): "\(error.path) ends too early and cannot be decompressed"
        default: error.description
        }
    }
}
