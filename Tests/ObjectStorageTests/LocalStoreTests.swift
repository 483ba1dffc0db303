import Foundation
import ObjectStorage
import Synchronization
import Testing

/// The store on the machine's own disk.
@Suite final class LocalStoreTests {
    private let store = LocalStore(
        root: FileManager.default.temporaryDirectory.appendingPathComponent("store-\(RandomName.make())").path
    )

    deinit { try? FileManager.default.removeItem(atPath: store.root) }

    @Test("of 32 threads that put one name at once exactly one wins, and its bytes stay")
    func race() throws {
        for round in 0..<8 {
            let winners = Mutex<[Int]>([])
            let failures = Mutex<[any Error]>([])
            DispatchQueue.concurrentPerform(iterations: 32) { [store] number in
                do {
                    let bytes = [UInt8](repeating: UInt8(number), count: 10_000)
                    if try store.putIfAbsent("a/b/\(round).json", bytes) {
                        winners.withLock { $0.append(number) }
                    }
                } catch {
                    failures.withLock { $0.append(error) }
                }
            }
            #expect(failures.withLock { $0.isEmpty })
            let winner = try #require(winners.withLock { $0.first })
            #expect(winners.withLock { $0.count } == 1)
            #expect(
                try store.read("a/b/\(round).json") == [UInt8](repeating: UInt8(winner), count: 10_000)
            )
        }
        #expect(try store.list("a/b").map(\.name).sorted() == (0..<8).map { "\($0).json" })
    }

    @Test("a root that goes away is not made anew", arguments: [false, true])
    func vanishedRoot(isMountPoint: Bool) throws {
        let manager = FileManager.default
        try #require(try store.putIfAbsent("a/b/1", [1]))
        let away = store.root + "-away"
        try manager.moveItem(atPath: store.root, toPath: away)
        if isMountPoint {
            try manager.createDirectory(atPath: store.root, withIntermediateDirectories: false)
        }
        for key in ["a/b/2", "a/c/2", "a/2"] {
            let error = #expect(throws: StorageError.self) { try store.putIfAbsent(key, [2]) }
            #expect(error?.code == .notFound)
            #expect(throws: StorageError.self) { try store.replace(key, [2]) }
            #expect(throws: StorageError.self) { _ = try store.writer(key) }
        }
        #expect(manager.fileExists(atPath: store.root) == isMountPoint)
        if isMountPoint {
            #expect(try manager.contentsOfDirectory(atPath: store.root) == [])
            try manager.removeItem(atPath: store.root)
        }
        try manager.moveItem(atPath: away, toPath: store.root)
        #expect(try store.putIfAbsent("a/b/2", [2]))
        #expect(try store.read("a/b/1") == [1])
    }

    @Test("the second put of a name is refused and changes nothing")
    func secondPut() throws {
        #expect(try store.putIfAbsent("1", [1]))
        #expect(try store.putIfAbsent("1", [2]) == false)
        #expect(try store.read("1") == [1])
        #expect(try store.list("").map(\.name) == ["1"])
    }

    @Test("an object published under a taken name is given up")
    func publishTaken() throws {
        _ = try store.putIfAbsent("d/1", [1])
        let writer = try store.publisher("d/1")
        try [UInt8](repeating: 2, count: 3).withUnsafeBytes { try writer.write($0) }
        #expect(writer.byteCount == 3)
        #expect(try writer.finish() == false)
        #expect(try store.read("d/1") == [1])
        #expect(try store.list("d").map(\.name) == ["1"])
    }

    @Test("replace takes the place of an object or makes it")
    func replace() throws {
        try store.replace("d/hint", [1])
        try store.replace("d/hint", [2, 3])
        #expect(try store.read("d/hint") == [2, 3])
        #expect(try store.list("d").map(\.byteCount) == [2])
    }

    @Test("an abandoned object leaves no file")
    func abandon() throws {
        let writer = try store.writer("d/1")
        writer.abandon()
        writer.abandon()
        #expect(try store.list("d").isEmpty)
    }

    @Test("what is not there reads as nothing, lists as nothing and is removed without complaint")
    func missing() throws {
        #expect(try store.read("no/such") == nil)
        #expect(try store.exists("no/such") == false)
        #expect(try store.list("no").isEmpty)
        try store.remove("no/such")
    }

    @Test("a file where a folder is needed is an error that says so")
    func wrongKind() throws {
        _ = try store.putIfAbsent("a", [1])
        let error = #expect(throws: StorageError.self) { try store.putIfAbsent("a/b", [1]) }
        #expect(error?.code == .wrongKind)
    }

    @Test("an object larger than a read's chunk comes back whole")
    func large() throws {
        let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        _ = try store.putIfAbsent("large", bytes)
        #expect(try store.read("large") == bytes)
        #expect(try store.list("").map(\.byteCount) == [3_000_001])
    }

    @Test("random names are 32 hexadecimal digits, uuids of version 4, and differ")
    func randomNames() throws {
        let names = (0..<100).map { _ in RandomName.make() }
        #expect(Set(names).count == 100)
        #expect(names.allSatisfy { $0.count == 32 && $0.allSatisfy { $0.isHexDigit && !$0.isUppercase } })
        let uuid = RandomName.uuid()
        #expect(uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    }
}
