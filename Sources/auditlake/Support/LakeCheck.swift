import Catalog
import Foundation
import ObjectStorage
import Pipelines
import Synchronization

/// Looks whether a lake can be read and written, and whether its store keeps the promise that all rests on.
struct LakeCheck {
    /// Puts of one name that race each other.
    static let racerCount = 32

    private let lake: Lake

    init(_ lake: Lake) { self.lake = lake }

    var findings: [Finding] {
        let place = "lake \(lake.store.root)"
        do {
            let isThere = try lake.openForReading()
            let winners = try raceForOneName()
            guard winners == 1 else {
                return [
                    Finding(
                        .bad,
                        place,
                        "\(winners) of \(Self.racerCount) racing writers won one name: \(promise)",
                        mend:
                            "put the lake on a local file system, or into a bucket of a service with conditional puts"
                    )
                ]
            }
            if isThere {
                for name in try lake.tables() { _ = try lake.table(name)?.snapshot() }
            }
            let state = isThere ? "is there and writable" : "will be made; its folder is writable"
            return [Finding(.good, place, "\(state); \(Self.racerCount) racing writers gave one winner")]
        } catch {
            let report = ErrorReport(error)
            return [Finding(.bad, place, report.message, mend: report.mend)]
        }
    }

    private var promise: String {
        lake.store.isLocal
            ? "the file system does not link atomically" : "the service does not heed If-None-Match"
    }

    /// Lets threads put one object at once and counts those that were told they made it.
    ///
    /// Leaves nothing behind.
    private func raceForOneName() throws -> Int {
        // The lake's own folder may have to be made yet.
        let store: any ObjectStore = lake.store.isLocal ? LocalStore(root: existingFolder()) : lake.store
        let key = ".auditlake-check-\(RandomName.make())"
        defer { try? store.remove(key) }
        let outcomes = Mutex<[Result<Bool, any Error>]>([])
        let threads = (0..<Self.racerCount).map { racer in
            WorkerThread.start(stackByteCount: 256 << 10) {
                let outcome = Result { try store.putIfAbsent(key, Array("\(racer)".utf8)) }
                outcomes.withLock { $0.append(outcome) }
            }
        }
        for thread in threads { thread.join() }
        return try outcomes.withLock { try $0.filter { try $0.get() }.count }
    }

    /// The lake's folder, or the nearest one above it that exists.
    private func existingFolder() -> String {
        var path = lake.store.root
        while path.count > 1, !FileManager.default.fileExists(atPath: path) {
            path = (path as NSString).deletingLastPathComponent
        }
        return path
    }
}
