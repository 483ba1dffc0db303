import Logging

/// Writes each log message as one line.
package struct LineLogHandler: LogHandler {
    /// Fields that every line has.
    package var metadata: Logger.Metadata = [:]
    /// The least grave level that is written.
    package var logLevel: Logger.Level
    private let format: LogFormat
    private let clock: @Sendable () -> Int64
    private let write: @Sendable (String) -> Void

    /// Creates a handler.
    ///
    /// - Parameters:
    ///   - format: How lines are written.
    ///   - level: The least grave level that is written.
    ///   - clock: Microseconds since 1970-01-01 UTC.
    ///   - write: Receives whole lines, each with its line end; called from any thread.
    package init(
        format: LogFormat,
        level: Logger.Level,
        clock: @escaping @Sendable () -> Int64,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.format = format
        logLevel = level
        self.clock = clock
        self.write = write
    }

    /// One of the fields that every line has.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a message with its fields; those of the message win over the handler's.
    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        let line = LogLine(time: clock(), level: event.level, message: "\(event.message)", fields: fields)
        write(line.text(format) + "\n")
    }
}
