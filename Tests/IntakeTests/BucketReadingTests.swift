import BatchProtocol
import Foundation
import ObjectStorage
import SeededRandom
import SimulatedBucket
import Testing

@testable import Intake

/// How the objects of a bucket are fetched and read.
@Suite struct BucketReadingTests {
    private let bucket = MemoryBucket()

    private var objects: BucketObjects { BucketObjects(bucket, patterns: ["s3://bucket/**"]) }

    private func collector() -> ObjectCollector {
        let bucket = bucket
        return ObjectCollector(
            ObjectSource(patterns: []),
            clock: { 0 },
            place: { BucketObjects(bucket, patterns: ["s3://bucket/**"]) }
        )
    }

    private func found(_ keys: [String], byteCount: UInt64 = 2) -> [FoundObject] {
        keys.map {
            FoundObject(key: "s3://bucket/\($0)", byteCount: byteCount, modified: 0, version: "")
        }
    }

    private func bytes(_ object: any ObjectBytes, at offset: UInt64 = 0, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try object.read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    private func text(_ key: String, in objects: BucketObjects) throws -> String? {
        try objects.open("s3://bucket/\(key)").map {
            String(decoding: try bytes($0, count: 100), as: UTF8.self)
        }
    }

    // MARK: Ahead

    @Test("what is expected is fetched in order, once, whenever it is asked for")
    func order() throws {
        for key in ["a", "b", "c"] { bucket.put(key, key) }
        let objects = objects
        objects.expect(found(["b", "a", "none", "c"]))
        #expect(bucket.takeRequests() == [.start("b"), .start("a"), .start("none"), .start("c")])
        for key in ["c", "b", "a"] { #expect(try text(key, in: objects) == key) }
        #expect(try text("none", in: objects) == nil)
        #expect(bucket.takeRequests().isEmpty)
        #expect(try text("a", in: objects) == "a")
        #expect(bucket.takeRequests() == [.start("a")], "what was given out is fetched again")
    }

    @Test("no more than 48 MiB wait; what is given out or given up makes room")
    func limit() throws {
        let large = [UInt8](repeating: 7, count: 9 << 20)
        let keys = (10..<30).map(String.init)
        for key in keys { bucket.put(key, large) }
        let objects = objects
        objects.expect(found(keys, byteCount: 9 << 20))
        #expect(bucket.takeRequests() == keys.prefix(6).map { .start($0) })
        _ = try objects.open("s3://bucket/10")
        #expect(bucket.takeRequests() == [.start("16")])
        // Those that are under way go on, the others are given up.
        objects.expect(found(["16", "28", "29"], byteCount: 9 << 20))
        #expect(bucket.takeRequests() == [.start("28"), .start("29")])
        objects.expect(found(keys.suffix(6), byteCount: 9 << 20))
        #expect(bucket.takeRequests() == ["24", "25", "26", "27"].map { .start($0) })
        #expect(bucket.mostWaitingByteCount == 48 << 20)
    }

    @Test("an error of one is that of no other")
    func error() throws {
        for key in ["a", "b", "c"] { bucket.put(key, key) }
        let denied = StorageError(code: .permissionDenied, operation: "read", path: "b")
        bucket.beforeRequests { if $0 == .start("b") { throw denied } }
        let objects = objects
        objects.expect(found(["a", "b", "c"]))
        #expect(throws: denied) { try text("b", in: objects) }
        #expect(try text("a", in: objects) == "a")
        #expect(try text("c", in: objects) == "c")
    }

    @Test("names that differ in their bytes alone have bytes of their own")
    func unicode() throws {
        bucket.put("\u{e9}", "composed")
        bucket.put("e\u{301}", "decomposed")
        let objects = objects
        objects.expect(found(["\u{e9}", "e\u{301}"]))
        #expect(try text("\u{e9}", in: objects) == "composed")
        #expect(try text("e\u{301}", in: objects) == "decomposed")
    }

    @Test("a key may begin with a sign that joins the one before it")
    func joiningSign() throws {
        bucket.put("\u{301}a", "1")
        #expect(try text("\u{301}a", in: objects) == "1")
    }

    // MARK: Windows

    @Test("a large object is read in few requests, in any steps and from any place")
    func windows() throws {
        let content = (0..<(30 << 20)).map { UInt8(truncatingIfNeeded: $0 >> 7 ^ $0) }
        bucket.put("a", content)
        let object = try #require(try objects.open("s3://bucket/a"))
        var offset = 0
        while offset < content.count {
            let step = try bytes(object, at: UInt64(offset), count: 5_000_000)
            #expect(step == Array(content[offset..<min(offset + 5_000_000, content.count)]))
            offset += step.count
        }
        #expect(bucket.takeRequests() == [.start("a"), .read("a"), .read("a")])
        #expect(try bytes(object, at: 100, count: 10) == Array(content[100..<110]))
        #expect(try bytes(object, at: UInt64(content.count - 3), count: 10) == content.suffix(3))
        #expect(try bytes(object, at: UInt64(content.count), count: 10) == [])
    }

    // MARK: Compressed

    private static func noise(_ count: Int) -> Data {
        var random = SeededGenerator(seed: 3)
        return Data(
            (0..<count / 8).flatMap { _ in
                withUnsafeBytes(of: UInt64.random(in: 0 ... .max, using: &random), Array.init)
            }
        )
    }

    @Test("a compressed object of several parts is brought here whole", arguments: ["gzip", "zstd"])
    func compressed(tool: String) throws {
        let noise = Self.noise(9 << 20)
        let key = tool == "gzip" ? "a.gz" : "a.zst"
        bucket.put(key, Array(try LogFolder.compressed(noise, tool)))
        let object = try #require(try objects.open("s3://bucket/\(key)"))
        #expect(try object.check() == .whole)
        #expect(try bytes(object, at: 0, count: noise.count + 1) == Array(noise))
        #expect(bucket.takeRequests() == [.start(key), .read(key)])
    }

    @Test("a damaged or cut one is told, keeps no other from being read, and is read when it is replaced")
    func damaged() throws {
        let whole = Array(try LogFolder.compressed(Data("1\n2\n".utf8), "gzip"))
        var damaged = whole
        damaged[damaged.count - 6] ^= 0xff
        bucket.put("cut.gz", Array(whole.dropLast(9)))
        bucket.put("damaged.gz", damaged)
        bucket.put("whole.gz", whole)
        let collector = collector()
        try collector.drain()
        #expect(collector.lines.map(\.key) == ["s3://bucket/whole.gz", "s3://bucket/whole.gz"])
        let remarks: Set<ObjectSource.Remark> = [
            .endsTooEarly(key: "s3://bucket/cut.gz"), .isDamaged(key: "s3://bucket/damaged.gz"),
        ]
        #expect(Set(collector.remarks) == remarks && collector.unreadable.count == 2)
        bucket.put("cut.gz", whole)
        bucket.put("damaged.gz", whole)
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["1", "2", "1", "2", "1", "2"])
        #expect(collector.unreadable.isEmpty)
    }

    // MARK: Changes

    @Test("an object that grew between the listing and its reading gives its lines once")
    func grew() throws {
        bucket.put("a", "1\n")
        let (bucket, collector) = (bucket, collector())
        bucket.beforeRequests { request in
            guard request == .start("a") else { return }
            bucket.beforeRequests(nil)
            bucket.put("a", "1\n2\n")
        }
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["1", "2"])
        bucket.put("a", "1\n2\n3\n")
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["1", "2", "3"])
    }

    @Test("an object that was fetched ahead and grew before its turn gives its lines once")
    func grewAhead() throws {
        for key in ["a", "b"] { bucket.put(key, "\(key)1\n") }
        let collector = collector()
        let look = try collector.drops.look(after: collector.state.objects, limit: 2)
        collector.drops.expect(look.objects)
        bucket.put("b", "b1\nb2\n")
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["a1", "b1", "b2"])
    }

    @Test("an object that vanished since it was listed is passed over, and one that comes back is read")
    func vanished() throws {
        for key in ["a", "b"] { bucket.put(key, "\(key)\n") }
        let (bucket, collector) = (bucket, collector())
        bucket.beforeRequests { if $0 == .start("a") { bucket.remove("a") } }
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["b"] && collector.unreadable.isEmpty)
        bucket.beforeRequests(nil)
        bucket.put("a", "a\n")
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["b", "a"])
        bucket.remove("a")
        try collector.drain()
        #expect(collector.lines.count == 2)
    }
}
