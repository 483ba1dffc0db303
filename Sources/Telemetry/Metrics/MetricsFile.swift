import Logging
import ObjectStorage
import Synchronization

/// A file that always holds whole metrics, for a collector that reads text files.
final class MetricsFile: Sendable {
    private let path: String
    private let logger: Logger
    private let isFailing = Mutex(false)

    /// Names a file; its folder has to exist.
    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// Puts other content in place of the file's, at once and whole; not durable, since the next one comes soon.
    ///
    /// A failure is logged when it begins, and costs nothing else.
    func replace(with text: String) {
        do {
            try put(text)
            isFailing.withLock { $0 = false }
        } catch {
            let isNew = isFailing.withLock { failing in
                defer { failing = true }
                return !failing
            }
            guard isNew else { return }
            logger.warning(
                "the metrics file cannot be written: \(error)",
                metadata: ["event": "metrics_file_failed", "path": .string(path)]
            )
        }
    }

    private func put(_ text: String) throws {
        let files = PosixFileSystem()
        // Hidden, so that a collector that reads all of a folder passes over it.
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let temporary = "\(path[..<slash]).\(path[slash...]).\(RandomName.make()).tmp"
        let handle = try files.create(temporary)
        defer { files.close(handle) }
        do {
            try Array(text.utf8).withUnsafeBytes { try files.write(handle, $0, path: temporary) }
            try files.rename(temporary, to: path)
        } catch {
            try? files.remove(temporary)
            throw error
        }
    }
}
