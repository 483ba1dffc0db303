import BatchProtocol
import Glibc
import Intake
import ObjectStorage
import Testing

/// What cannot be read keeps nothing else from being read.
///
/// The objects lie in a bucket, not in files.
@Suite struct ObjectFaultTests {
    private let bucket = MemoryPlace()

    private func collector(clock: @escaping () -> Int64 = { 0 }) -> ObjectCollector {
        for name in ["a", "b", "c"] { bucket.put("s3://bucket/\(name)", "{\"\(name)\":0}\n") }
        let bucket = bucket
        return ObjectCollector(ObjectSource(patterns: []), clock: clock) { bucket }
    }

    private func lines(_ collector: ObjectCollector) -> [String] { collector.lines.map(\.line) }

    private func error(_ code: StorageError.Code) -> StorageError {
        StorageError(code: code, operation: "read", path: "s3://bucket/b")
    }

    @Test("an object without rights is told at each look, and read as soon as it has them")
    func permission() throws {
        bucket.openFaults["s3://bucket/b"] = .permissionDenied
        let collector = collector()
        try collector.drain()
        #expect(lines(collector) == ["{\"a\":0}", "{\"c\":0}"])
        #expect(try collector.batch().isEmpty)
        #expect(collector.unreadable == [error(.permissionDenied)])
        bucket.openFaults = [:]
        try collector.drain()
        #expect(lines(collector) == ["{\"a\":0}", "{\"c\":0}", "{\"b\":0}"])
        #expect(collector.unreadable.isEmpty)
    }

    @Test(
        "an object on a faulty disk is tried again after a minute, when it is replaced, or when the clock was set back",
        arguments: [60_000_000_000, nil, -1] as [Int64?]
    )
    func faultyDisk(triedAt later: Int64?) throws {
        bucket.readFaults["s3://bucket/b"] = .other(EIO)
        var time: Int64 = 0
        let collector = collector { time }
        try collector.drain(limit: 1)
        #expect(lines(collector) == ["{\"a\":0}", "{\"c\":0}"])
        bucket.readFaults = [:]
        time = 59_000_000_000
        #expect(try collector.batch().isEmpty)
        #expect(collector.unreadable == [error(.other(EIO))])
        if let later { time = later } else { bucket.put("s3://bucket/b", "{\"b\":0}\n") }
        try collector.drain()
        #expect(lines(collector).last == "{\"b\":0}")
        #expect(collector.unreadable.isEmpty)
    }

    @Test("an error that concerns all objects is thrown")
    func allObjects() throws {
        bucket.openFaults["s3://bucket/b"] = .other(EMFILE)
        let collector = collector()
        #expect(throws: error(.other(EMFILE))) { try collector.drain() }
    }

    @Test("a folder that may not be listed is told, the others are read")
    func folder() throws {
        bucket.unlisted = ["s3://bucket/secret/"]
        let collector = collector()
        try collector.batch()
        #expect(lines(collector).count == 3)
        #expect(collector.unreadable.map(\.path) == ["s3://bucket/secret/"])
    }

    @Test("objects whose version is known are not opened, and one that goes on is opened once a batch")
    func opened() throws {
        let collector = collector()
        try collector.drain()
        #expect(bucket.opened.count == 3)
        collector.restart()
        try collector.drain()
        #expect(bucket.opened.count == 3)
        bucket.put("s3://bucket/b", "{\"b\":0}\n{\"b\":1}\n{\"b\":2}\n")
        try collector.drain(budget: 8, window: 8)
        #expect(bucket.opened.suffix(from: 3).allSatisfy { $0 == "s3://bucket/b" })
        #expect(collector.lines("s3://bucket/b") == (0...2).map { "{\"b\":\($0)}" })
    }
}
