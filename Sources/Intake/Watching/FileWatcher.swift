import CFileSystem
import Glibc
import Synchronization

/// Waits until something happens to the files at some patterns.
///
/// Folders are watched by inotify. What cannot be watched so is looked at every 250 ms: folders that do not exist, on network
/// file systems, links to files elsewhere, and whatever the machine's limits leave out.
///
/// Belongs to one thread; `wake()` alone may be called from any. Uses two descriptors.
///
/// `@unchecked Sendable`: `wake()` uses the waker's descriptor alone, which never changes; all else is used by one thread.
package final class FileWatcher: @unchecked Sendable {
    /// Time between two looks at what cannot be watched.
    static let pollInterval = Duration.milliseconds(250)

    /// What is meant in a watched folder.
    private struct Interest: Hashable {
        /// Pattern of the names.
        var name: String
        /// Whether folders are meant: a new one has to be watched.
        var isFolder: Bool
    }

    private let source: TailedFileSource
    private let isRemote: (String) -> Bool
    private let queue: NotifyQueue?
    private let waker: Waker
    private var current = CurrentLogfiles()
    private var interests: [Int32: Set<Interest>] = [:]
    private var polled: [String] = []
    private var seen: [String: LogFileStatus] = [:]
    private var nextPoll: ContinuousClock.Instant

    /// Watches from now on.
    package convenience init(patterns: [String]) {
        self.init(source: TailedFileSource(patterns: patterns, host: ""))
    }

    /// Watches a source from now on: its patterns and the file that names logs.
    package convenience init(source: TailedFileSource) {
        self.init(source: source, queue: NotifyQueue()) { fs_is_remote($0) == 1 }
    }

    /// Watches from now on; without a queue everything is looked at, as is what is remote.
    init(source: TailedFileSource, queue: NotifyQueue?, isRemote: @escaping (String) -> Bool) {
        self.source = source
        self.queue = queue
        self.isRemote = isRemote
        waker = Waker()
        nextPoll = .now + Self.pollInterval
        arrange()
        seen = statuses()
    }

    /// The patterns that are not watched but looked at.
    var polledPatterns: [String] { polled }

    /// Makes the wait that goes on, or the next one, return true.
    package func wake() { waker.wake() }

    /// Waits for a change since the last call, or since the beginning.
    ///
    /// - Returns: true when something changed or `wake()` was called, false at the deadline.
    package func waitForChange(until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let now = ContinuousClock.now
            let end = polled.isEmpty && waker.handle >= 0 ? deadline : min(deadline, nextPoll)
            pause(now < end ? end - now : .zero)
            // Both are emptied, whichever comes first.
            let isWoken = waker.drain()
            let isNoticed = takeNotices()
            if takeChanges() || isWoken || isNoticed { return true }
            if ContinuousClock.now >= deadline { return false }
        }
    }

    private func pause(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        // Rounded up, so that a deadline is not met by turning around.
        let milliseconds =
            min(seconds, 3_600) * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        var waits = [pollfd(fd: waker.handle, events: Int16(POLLIN), revents: 0)]
        if let queue { waits.append(pollfd(fd: queue.handle, events: Int16(POLLIN), revents: 0)) }
        _ = poll(&waits, nfds_t(waits.count), Int32(milliseconds))
    }

    private func takeNotices() -> Bool {
        guard let queue else { return false }
        var isChange = false
        var isNew = false
        for notice in queue.drain() {
            if notice.watch < 0 {
                isChange = true
                isNew = true
            }
            guard let wanted = interests[notice.watch] else { continue }
            if notice.isEnd {
                isChange = true
                isNew = true
            }
            for interest in wanted where FilePattern.matches(interest.name, notice.name) {
                isChange = true
                // A new file may be a link to one elsewhere.
                if interest.isFolder || notice.isNew { isNew = true }
            }
        }
        if isNew { arrange() }
        return isChange
    }

    private func takeChanges() -> Bool {
        guard ContinuousClock.now >= nextPoll else { return false }
        nextPoll = .now + Self.pollInterval
        guard !polled.isEmpty else { return false }
        // A folder may have come into being: from now on it is watched.
        let before = polled
        arrange()
        let now = statuses()
        defer { seen = now }
        return now != seen || polled != before
    }

    // MARK: What is watched

    /// Watches what can be watched now, and lists what has to be looked at.
    private func arrange() {
        var wanted: [Int32: Set<Interest>] = [:]
        polled = []
        for text in patterns {
            for pattern in FilePattern.alternatives(of: text) where !watch(pattern, &wanted) {
                polled.append(pattern.text)
            }
        }
        for watch in interests.keys where wanted[watch] == nil { queue?.end(watch) }
        interests = wanted
    }

    private var patterns: [String] {
        guard let path = source.currentLogfiles else { return source.patterns }
        // What cannot be read now is tried again when it changes; the look reports it.
        _ = try? current.refresh(path)
        return (source.patterns.isEmpty ? current.patterns : source.patterns) + [path]
    }

    /// false when a pattern, or a part of it, has to be looked at.
    private func watch(_ pattern: FilePattern, _ wanted: inout [Int32: Set<Interest>]) -> Bool {
        guard let queue else { return false }
        var isWatched = true
        for folder in pattern.variableFolders {
            let interest = Interest(name: FilePattern.name(of: folder), isFolder: true)
            for parent in FileListing.expand(FilePattern.folder(of: folder)) {
                guard !isRemote(parent), let watch = queue.watch(parent) else {
                    isWatched = false
                    continue
                }
                wanted[watch, default: []].insert(interest)
            }
        }
        let folders = FileListing.expand(pattern.folder)
        if folders.isEmpty {
            // One that comes into being is noticed only in a folder that is watched.
            let root = pattern.variableFolders.first.map(FilePattern.folder)
            isWatched = isWatched && root.map { !FileListing.expand($0).isEmpty } ?? false
        }
        for folder in folders {
            guard !isRemote(folder), let watch = queue.watch(folder) else {
                isWatched = false
                continue
            }
            for suffix in [""] + Compression.suffixes {
                wanted[watch, default: []].insert(Interest(name: pattern.name + suffix, isFolder: false))
            }
        }
        return isWatched && !FileListing.expand(pattern.text).contains(where: Self.isLink)
    }

    private static func isLink(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
    }

    private func statuses() -> [String: LogFileStatus] {
        var statuses: [String: LogFileStatus] = [:]
        for pattern in polled {
            for suffix in [""] + Compression.suffixes {
                for path in FileListing.expand(pattern + suffix) {
                    // What may not be looked at is reported by the look.
                    statuses[path] = try? LogFileStatus.at(path)
                }
            }
        }
        return statuses
    }
}

/// Ends a wait from any thread.
private final class Waker: Sendable {
    /// Readable after `wake()`; -1 when the machine gave no descriptor.
    let handle = fs_create_wakeup()
    private let isCalled = Atomic(false)

    deinit { if handle >= 0 { close(handle) } }

    func wake() {
        isCalled.store(true, ordering: .releasing)
        if handle >= 0 { fs_wake(handle) }
    }

    func drain() -> Bool {
        if handle >= 0 { fs_clear_wakeup(handle) }
        return isCalled.exchange(false, ordering: .acquiring)
    }
}
