import Glibc

/// The kernel's notices about watched folders: inotify(7).
final class NotifyQueue {
    /// Something that happened in a watched folder.
    struct Notice {
        /// The watch; -1 when notices were lost.
        var watch: Int32
        /// The name in the folder; empty for the folder itself.
        var name: String
        /// Whether the watch is gone, or its folder has moved.
        var isEnd: Bool
    }

    private static let mask = UInt32(
        IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | IN_CLOSE_WRITE
            | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
    )
    private static let endMask = UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)
    private static let bufferByteCount = 1 << 16

    let handle: Int32

    /// nil when the machine gives no more queues.
    init?() {
        handle = inotify_init1(Int32(O_CLOEXEC | O_NONBLOCK))
        guard handle >= 0 else { return nil }
    }

    deinit { close(handle) }

    /// Watches a folder; nil when it is not there or the machine gives no more watches.
    func watch(_ folder: String) -> Int32? {
        let watch = inotify_add_watch(handle, folder, Self.mask)
        return watch >= 0 ? watch : nil
    }

    /// Ends a watch.
    func end(_ watch: Int32) { _ = inotify_rm_watch(handle, watch) }

    /// Takes all notices there are, without waiting.
    func drain() -> [Notice] {
        var notices: [Notice] = []
        withUnsafeTemporaryAllocation(byteCount: Self.bufferByteCount, alignment: 8) { buffer in
            while true {
                let count = read(handle, buffer.baseAddress, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                Self.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: &notices)
            }
        }
        return notices
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to notices: inout [Notice]) {
        let headerByteCount = MemoryLayout<inotify_event>.size
        var at = 0
        while at + headerByteCount <= bytes.count {
            let event = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
            let from = at + headerByteCount
            at = from + Int(event.len)
            guard at <= bytes.count else { return }
            let isLost = event.mask & UInt32(IN_Q_OVERFLOW) != 0
            let name = String(decoding: bytes[from..<at].prefix { $0 != 0 }, as: UTF8.self)
            // A file that is written to gives thousands of notices that say the same.
            if let last = notices.last, last.watch == event.wd, last.name == name, !last.isEnd,
                event.mask & endMask == 0
            {
                continue
            }
            notices.append(
                Notice(watch: isLost ? -1 : event.wd, name: name, isEnd: event.mask & endMask != 0)
            )
        }
    }
}
