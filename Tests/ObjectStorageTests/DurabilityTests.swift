import ObjectStorage
import SimulatedDisk
import Synchronization
import Testing

/// Order of calls and what a power loss leaves, for each way to store an object.
@Suite struct DurabilityTests {
    /// A way to give an object its bytes.
    enum Way: CaseIterable {
        case put
        case publish
        case write

        func store(_ bytes: String, as key: String, in store: LocalStore) throws {
            switch self {
            case .put: _ = try store.putIfAbsent(key, Array(bytes.utf8))
            case .publish: try finish(bytes, try store.publisher(key))
            case .write: try finish(bytes, try store.writer(key))
            }
        }

        private func finish(_ bytes: String, _ writer: any ObjectWriter) throws {
            do {
                try Array(bytes.utf8).withUnsafeBytes { try writer.write($0) }
                try writer.finish()
            } catch {
                writer.abandon()
                throw error
            }
        }
    }

    private static let key = "new/log/7.json"
    private static let content = "all of it"
    private static let bytes = Array(content.utf8)
    private static let object = "/lake/" + key

    private func makeDisk() -> (disk: RecordingFileSystem, store: LocalStore) {
        let disk = RecordingFileSystem(folders: ["/lake"])
        return (disk, LocalStore(root: "/lake", fileSystem: disk))
    }

    /// Calls that a store of the object makes when nothing fails.
    private func calls(_ way: Way) throws -> [FileSystemCall] {
        let (disk, store) = makeDisk()
        try way.store(Self.content, as: Self.key, in: store)
        return disk.calls
    }

    @Test(
        "bytes are synced before the name appears, the folder after it, new folders in their parents before",
        arguments: Way.allCases
    )
    func order(way: Way) throws {
        let calls = try calls(way)
        let names = calls.map(\.name)
        let sync = try #require(names.firstIndex(of: "sync"))
        let folder = try #require(calls.lastIndex(of: .syncFolder("/lake/new/log")))
        #expect(try #require(names.lastIndex(of: "write")) < sync)
        #expect(try #require(calls.firstIndex(of: .syncFolder("/lake"))) < sync)
        #expect(try #require(calls.firstIndex(of: .syncFolder("/lake/new"))) < sync)
        #expect(sync < folder)
        guard way != .write else { return }
        let link = try #require(names.firstIndex(of: "link"))
        #expect(sync < link && link < folder)
        #expect(calls[link].path == Self.object)
    }

    @Test(
        "a power loss before any call leaves the object absent or whole",
        arguments: [Way.put, .publish],
        PowerLoss.allCases
    )
    func powerLoss(way: Way, loss: PowerLoss) throws {
        let (disk, store) = makeDisk()
        try way.store(Self.content, as: Self.key, in: store)
        for number in disk.calls.indices {
            let found = disk.files(after: loss, before: number)[Self.object]
            #expect(found == nil || found == Self.bytes, "before \(disk.calls[number])")
        }
    }

    @Test(
        "after the call has returned a power loss does not touch the object",
        arguments: Way.allCases,
        PowerLoss.allCases
    )
    func durable(way: Way, loss: PowerLoss) throws {
        let (disk, store) = makeDisk()
        try way.store(Self.content, as: Self.key, in: store)
        #expect(disk.files(after: loss)[Self.object] == Self.bytes)
    }

    @Test(
        "what a process killed at any call left unsynced is made durable by the next that stores an object",
        arguments: Way.allCases
    )
    func killedBefore(way: Way) throws {
        for number in try calls(way).indices {
            let (disk, store) = makeDisk()
            disk.kill(at: number)
            // The removal of a temporary file is nobody's condition, so the last call may fail unheard.
            _ = try? way.store(Self.content, as: Self.key, in: store)
            disk.revive()
            let key = way == .write ? "new/log/8.json" : Self.key
            try way.store(Self.content, as: key, in: LocalStore(root: "/lake", fileSystem: disk))
            #expect(disk.files(after: .allLost)["/lake/\(key)"] == Self.bytes, "killed at call \(number)")
        }
    }

    @Test("who loses the race for a name may count on the winner's object", arguments: [Way.put, .publish])
    func loserCountsOnWinner(way: Way) throws {
        let (disk, store) = makeDisk()
        let found = Mutex<[UInt8]?>(nil)
        // The winner has linked its object and not synced the folder yet.
        disk.interrupt(before: .syncFolder("/lake/new/log")) {
            try? way.store("loser's", as: Self.key, in: store)
            found.withLock { $0 = disk.files(after: .allLost)[Self.object] }
        }
        try Way.put.store(Self.content, as: Self.key, in: store)
        #expect(found.withLock { $0 } == Self.bytes)
    }
}
