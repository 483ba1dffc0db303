/// The splitters of all formats.
struct LogSplitter: ~Copyable {
    var csv = CSVLogSplitter()
    var json = JSONLogSplitter()

    /// Looks at the start of `bytes`, which is a record border of a sound file.
    @inline(__always)
    mutating func step(_ bytes: UnsafeRawBufferPointer, format: LogFormat, isEnd: Bool) -> LogStep {
        switch format {
        case .csvlog: csv.step(bytes)
        case .jsonlog: json.step(bytes, isEnd: isEnd)
        case .collector: CollectorSplitter.step(bytes, isEnd: isEnd)
        }
    }

    /// The record that the last `.record` step found.
    @inline(__always)
    func record(_ format: LogFormat) -> LogRecord { format == .csvlog ? csv.record : json.record }

    /// How far the begun record at the start of `bytes` reaches when its end will never come.
    mutating func byteCountOfBegunRecord(_ bytes: UnsafeRawBufferPointer, format: LogFormat) -> Int {
        format == .csvlog ? csv.byteCountOfBegunRecord(bytes) : bytes.count
    }
}
