import Foundation

/// Writes a line to standard output, where results go.
///
/// - Throws: `UsageError` when it cannot be written; whatever the command has done is done.
func say(_ text: String) throws {
    guard let number = writeAll(text + "\n", to: STDOUT_FILENO) else { return }
    throw UsageError(
        message: "the result cannot be written: \(String(cString: strerror(number)))",
        mend: "what the command had to do is done; make room or choose another place for its output",
        status: .storage
    )
}

/// Writes a line to standard error; what cannot be written there is lost, since nobody could be told.
func writeError(_ text: String) { _ = writeAll(text + "\n", to: STDERR_FILENO) }

/// Writes whole log lines to standard error, and in place of a progress line where that is a terminal.
///
/// A log that cannot be written must not end what it tells of.
@Sendable func writeLog(_ lines: String) {
    _ = writeAll((isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[K" : "") + lines, to: STDERR_FILENO)
}

/// Writes all bytes of a text; returns the `errno` of a failure.
private func writeAll(_ text: String, to descriptor: Int32) -> Int32? {
    var text = text
    return text.withUTF8 { bytes in
        var done = 0
        while done < bytes.count {
            let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0, errno != EINTR { return errno }
            done += max(0, count)
        }
        return nil
    }
}
