import AuditFormats
import BatchProtocol
import Intake

/// Compares the files of a source with what batches have of them.
struct FileStatusReader {
    /// Unread bytes that are looked through for the beginning of a record at their end.
    static let probeByteCount: UInt64 = 4 << 20

    var settings: PostgresPipelineSettings
    var state: ShardState
    /// Microseconds since 1970-01-01 UTC.
    var now: Int64
    /// The files as an earlier look left them.
    var tailed: TailedFiles

    /// The files that match now, oldest first, and the look that found them.
    func files() throws -> (files: [SourceFileStatus], look: Look) {
        let look = try tailed.look(after: state)
        return (try statuses(look.files), look)
    }

    private func statuses(_ unread: [UnreadFile]) throws -> [SourceFileStatus] {
        // A copy has the name of its file, which may be another file's by now.
        let copies = try unread.filter { $0.copied != nil }.map(status)
        let byPath = Dictionary(unread.filter { $0.copied == nil }.map { ($0.found.path, $0) }) { first, _ in
            first
        }
        return try copies
            + settings.source.find().files.map { file in
                if let open = byPath[file.path] { return try status(of: open) }
                let tracked =
                    state.files.last { $0.inode == file.inode } ?? state.files.last { $0.path == file.path }
                return SourceFileStatus(
                    path: file.path,
                    format: tracked?.logFormat.rawValue,
                    offset: file.byteCount,
                    byteCount: file.byteCount,
                    lagBytes: 0,
                    lagSeconds: nil,
                    pendingBytes: 0
                )
            }
    }

    private func status(of file: UnreadFile) throws -> SourceFileStatus {
        let reader = try file.open()
        let format = try reader.map { reader in
            try file.tracked?.logFormat ?? settings.format ?? reader.detectFormat(path: file.found.path)
        }
        let pending = try reader.map { try pendingByteCount(of: file, $0, format ?? .csvlog) } ?? 0
        let lag = file.unreadByteCount - pending
        var status = SourceFileStatus(
            path: file.found.path,
            format: format?.rawValue,
            offset: file.offset,
            byteCount: file.found.byteCount,
            lagBytes: lag,
            lagSeconds: nil,
            pendingBytes: pending
        )
        if lag > 0, let reader {
            status.lagSeconds = Double(now - (try oldest(of: file, reader))) / 1_000_000
        }
        status.lagSeconds = status.lagSeconds.map { max(0, $0) }
        return status
    }

    /// When the first unread record was written: as it says itself; else the last commit of the file, before which it
    /// cannot have been written; else the file's last change.
    private func oldest(of file: UnreadFile, _ reader: FileReader) throws -> Int64 {
        var bytes = [UInt8](repeating: 0, count: RecordTime.headByteCount)
        let count = try bytes.withUnsafeMutableBytes { try reader.read(at: file.offset, into: $0) }
        return RecordTime.read(bytes[..<count], zone: settings.decoding.zone)
            ?? file.tracked?.readAt ?? file.found.modified
    }

    /// Bytes at the end of a file that are no whole record yet; 0 when more is unread than is looked through, or nothing
    /// here can read it.
    private func pendingByteCount(
        of file: UnreadFile,
        _ reader: FileReader,
        _ format: LogFormat
    ) throws -> UInt64 {
        guard file.unreadByteCount <= Self.probeByteCount, format.isReadable else { return 0 }
        let border = try RecordWalk.border(reader, format, from: file.offset, to: file.found.byteCount)
        return file.found.byteCount - border
    }
}

/// The time at the start of a log record.
enum RecordTime {
    /// Bytes at the start of a record that hold its time.
    static let headByteCount = 96

    private static let jsonKey = Array("{\"timestamp\":\"".utf8)

    /// Reads the first bytes of a csvlog or jsonlog record.
    ///
    /// - Returns: Microseconds since 1970-01-01 UTC; nil when the bytes begin otherwise, or their zone needs a setting.
    static func read(_ bytes: ArraySlice<UInt8>, zone: LogTimeZone) -> Int64? {
        let start = bytes.starts(with: jsonKey) ? bytes.dropFirst(jsonKey.count) : bytes
        let text = Array(start.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") })
        guard text.count > 24, hasShape(text) else { return nil }
        var timestamp = LogTimestamp(zone: zone)
        guard case .time(let time) = text.withUnsafeBytes({ timestamp.read($0) }) else { return nil }
        return time
    }

    private static func hasShape(_ text: [UInt8]) -> Bool {
        zip(text, "0000-00-00 00:00:00.000 ".utf8).allSatisfy { byte, pattern in
            pattern == UInt8(ascii: "0") ? byte &- 0x30 <= 9 : byte == pattern
        }
    }
}
