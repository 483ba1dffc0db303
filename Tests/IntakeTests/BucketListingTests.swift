import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import SimulatedBucket
import Testing

/// What a listing of a bucket finds, and how many requests it takes.
@Suite struct BucketListingTests {
    private static let hour: Int64 = 3_600_000_000_000

    private final class Time {
        /// Since the machine began.
        var nanoseconds: Int64 = 0
        /// What somebody has set the clock to.
        var wallClock: Int64 = 1_793_491_200_000_000_000
    }

    private let time = Time()
    private let window = BucketObjects.Window { _ in "2026-11-15" }

    private func objects(
        _ bucket: MemoryBucket,
        _ patterns: [String],
        window: BucketObjects.Window? = nil
    ) -> BucketObjects {
        let time = time
        return BucketObjects(
            bucket,
            patterns: patterns.map { "s3://bucket" + $0 },
            window: window,
            clock: { time.wallClock },
            uptime: { time.nanoseconds }
        )
    }

    /// The keys that a listing finds, without the bucket.
    private func keys(_ objects: BucketObjects) throws -> [String] {
        var keys: [String] = []
        _ = try objects.list { keys.append(String(decoding: $0.key, as: UTF8.self)) }
        return keys.map { String($0.dropFirst("s3://bucket/".count)) }
    }

    // MARK: Patterns

    private static let underLogs = [
        "logs//h.json", "logs/[1]/i.json", "logs/a.json", "logs/b.txt", "logs/naïve täg/ü 1+2%.json",
        "logs/x*/l.json", "logs/x/c.json", "logs/x/y/d.json.gz",
    ]

    /// Written by hand after what fnmatch and the shell make of such names.
    private static let meanings: [(String, [String])] = [
        ("", ["/k.json", "a.json"] + underLogs + ["logs2/j.json"]),
        ("/", ["/k.json", "a.json"] + underLogs + ["logs2/j.json"]),
        ("/**", ["/k.json", "a.json"] + underLogs + ["logs2/j.json"]),
        ("/*", ["a.json"]),
        ("/*.json", ["a.json"]),
        ("/a.json", ["a.json"]),
        ("/**/k.json", ["/k.json"]),
        ("/logs", underLogs),
        ("/logs/", underLogs),
        ("/logs/**", underLogs),
        ("/logs/*", ["logs/a.json", "logs/b.txt"]),
        ("/logs/a.json", ["logs/a.json"]),
        ("/logs/a", []),
        (
            "/logs/**/*.json",
            [
                "logs//h.json", "logs/[1]/i.json", "logs/a.json", "logs/naïve täg/ü 1+2%.json",
                "logs/x*/l.json", "logs/x/c.json",
            ]
        ),
        ("/logs/?/*.json", ["logs/x/c.json"]),
        ("/logs/x/**/*.gz", ["logs/x/y/d.json.gz"]),
        ("/logs/{a.json,b.*}", ["logs/a.json", "logs/b.txt"]),
        ("/{logs/x,logs2}/*.json", ["logs/x/c.json", "logs2/j.json"]),
        ("/logs/_old/*", ["logs/_old/e.json"]),
        ("/logs/_*", ["logs/_g.json"]),
        ("/logs/.tmp/**", ["logs/.tmp/f.json"]),
        ("/logs/\\[1\\]/*", ["logs/[1]/i.json"]),
        ("/logs/x\\*/*", ["logs/x*/l.json"]),
        ("/l[n-p]gs/a.json", ["logs/a.json"]),
        ("/logs/naïve täg/*", ["logs/naïve täg/ü 1+2%.json"]),
        ("/none/**", []),
    ]

    @Test("patterns mean keys as they mean paths, in pages of any size", arguments: meanings, [1, 3, 1_000])
    func patterns(pattern: (String, [String]), pageSize: Int) throws {
        let bucket = MemoryBucket(pageSize: pageSize)
        let hidden = ["logs/_old/e.json", "logs/.tmp/f.json", "logs/_g.json"]
        let named = Self.underLogs + hidden + ["a.json", "/k.json", "logs2/j.json"]
        for key in named { bucket.put(key, "{}") }
        for key in ["logs/empty.json", "logs/x/"] { bucket.put(key, "") }
        let objects = objects(bucket, [pattern.0])
        #expect(try keys(objects) == pattern.1)
        #expect(try objects.list { _ in }.remarks.isEmpty == !pattern.1.isEmpty)
        #expect(Set(named.filter { objects.means("s3://bucket/\($0)") }) == Set(pattern.1))
        #expect(!objects.means("s3://bucket2/a.json"))
    }

    @Test("what is listed has the object's size, version and time")
    func attributes() throws {
        let bucket = MemoryBucket()
        bucket.put("a.json", "{}\n", modified: 1_793_491_200_123_000)
        _ = try objects(bucket, ["/**"]).list { listed in
            #expect(String(decoding: listed.version, as: UTF8.self) == "etag-1")
            #expect(listed.byteCount == 3 && listed.modified == 1_793_491_200_123_000)
            #expect(listed.identity == nil)
        }
    }

    @Test("folders are those before the first wildcard")
    func folders() throws {
        let objects = objects(MemoryBucket(), ["/logs/a*/*.json", "/logs/{b,c}/**", "/**", "/logs/x*"])
        #expect(
            try objects.folders() == [
                "s3://bucket/logs/", "s3://bucket/logs/b/", "s3://bucket/logs/c/", "s3://bucket/",
            ]
        )
    }

    @Test("a key of another place is no object of the bucket")
    func otherPlace() throws {
        let bucket = MemoryBucket()
        bucket.put("x.json", "{}")
        #expect(try objects(bucket, [""]).open("s3://bucket/x.json") != nil)
        #expect(try objects(bucket, [""]).open("s3://basket/x.json") == nil)
    }

    // MARK: Days

    private func day(_ number: Int) -> String {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var rest = number
        var month = 0
        while rest >= lengths[month] {
            rest -= lengths[month]
            month += 1
        }
        let texts = [month + 1, rest + 1].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "2026-\(texts[0])-\(texts[1])"
    }

    /// Days 0 to 324 of 2026 end with November 21.
    private func fill(_ bucket: MemoryBucket, workspaces: Int, days: Range<Int>, count: Int) {
        for workspace in 0..<workspaces {
            for day in days {
                let folder = "logs/workspaceId=\(workspace)/date=\(self.day(day))"
                for index in 0..<count { bucket.put("\(folder)/auditlogs_\(100 + index).json", "{}") }
            }
        }
    }

    @Test("days before the window are leapt over and come with the first listing of the next hour")
    func leaps() throws {
        for pageSize in [1, 4, 7, 1_000] {
            let bucket = MemoryBucket(pageSize: pageSize)
            fill(bucket, workspaces: 3, days: 280..<325, count: 5)
            bucket.put("logs/a.json", "{}")
            bucket.put("logs/workspaceId=1/readme.json", "{}")
            let objects = objects(bucket, ["/logs/**"], window: window)
            time.nanoseconds = 0
            let all = try keys(objects)
            #expect(all.count == 3 * 45 * 5 + 2)
            let recent = all.filter { key in
                key.firstRange(of: "date=").map { key[$0.upperBound...] >= "2026-11-15" } ?? true
            }
            #expect(recent.count == 3 * 7 * 5 + 2)
            time.nanoseconds = Self.hour - 1
            #expect(try keys(objects) == recent)
            time.nanoseconds = Self.hour
            #expect(try keys(objects) == all)
            #expect(try keys(objects) == recent)
        }
    }

    @Test("100,000 objects of a year cost 100 requests, and those of a window one for each workspace")
    func requests() throws {
        let bucket = MemoryBucket()
        fill(bucket, workspaces: 4, days: 0..<325, count: 77)
        let objects = objects(bucket, ["/logs/**/*.json"], window: window)
        #expect(try keys(objects).count == 4 * 325 * 77)
        let whole = bucket.takeRequests()
        #expect(whole == Array(repeating: .list, count: 101))
        #expect(try keys(objects).count == 4 * 7 * 77)
        #expect(bucket.takeRequests() == Array(repeating: .list, count: 5))
    }

    @Test("names that differ in their bytes alone are kept in order of these")
    func unicode() throws {
        let bucket = MemoryBucket()
        // In order of bytes the decomposed é comes first; in Swift's order of text they are equal.
        bucket.put("e\u{301}/date=2026-01-01/a.json", "{}")
        bucket.put("\u{e9}/a.json", "{}")
        bucket.put("\u{e9}/z.json", "{}")
        let objects = objects(bucket, ["/**"], window: window)
        _ = try keys(objects)
        #expect(
            try keys(objects).map { Array($0.utf8) } == ["a", "z"].map { Array("\u{e9}/\($0).json".utf8) }
        )
    }

    @Test("that nothing matches is said at every look, though most leap over the old days")
    func nothing() throws {
        let bucket = MemoryBucket()
        bucket.put("old/date=2026-01-01/a.json", "{}")
        let objects = objects(bucket, ["/old/**", "/none/**"], window: window)
        let expected = [ObjectSource.Remark.nothingMatches(pattern: "s3://bucket/none/**")]
        #expect(try objects.list { _ in }.remarks == expected)
        #expect(try objects.list { _ in }.remarks == expected)
        bucket.put("none/date=2026-11-21/a.json", "{}")
        #expect(try objects.list { _ in }.remarks == [])
    }

    // MARK: Looks

    private func collector(_ bucket: MemoryBucket) -> ObjectCollector {
        let time = time
        return ObjectCollector(
            ObjectSource(patterns: []),
            clock: { time.wallClock },
            place: { objects(bucket, ["/**"], window: window) }
        )
    }

    @Test("an object of an old day that comes late is read within the hour, once")
    func late() throws {
        let bucket = MemoryBucket()
        bucket.put("date=2026-11-21/a.json", "1\n")
        let collector = collector(bucket)
        try collector.drain()
        bucket.put("date=2026-10-01/b.json", "2\n")
        bucket.put("date=2026-11-20/c.json", "3\n")
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["1", "3"])
        // The clock is set back meanwhile.
        time.wallClock -= 24 * Self.hour
        time.nanoseconds = Self.hour
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["1", "3", "2"])
        time.nanoseconds = 3 * Self.hour
        try collector.drain()
        #expect(collector.lines.count == 3)
    }

    @Test("an object of an old day that cannot be read is told at every look")
    func failing() throws {
        let bucket = MemoryBucket()
        bucket.put("date=2026-01-01/a.json", "1\n")
        bucket.put("date=2026-11-21/b.json", "2\n")
        let denied = StorageError(code: .permissionDenied, operation: "read", path: "a.json")
        bucket.beforeRequests {
            if case .start("date=2026-01-01/a.json") = $0 { throw denied }
        }
        let collector = collector(bucket)
        try collector.drain()
        try collector.batch()
        #expect(collector.unreadable == [denied])
        bucket.beforeRequests(nil)
        time.nanoseconds = Self.hour
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["2", "1"] && collector.unreadable.isEmpty)
    }

    @Test(
        "an object that is older than what is kept in mind is counted and not read, forgotten ones are not read again"
    )
    func tooOld() throws {
        let day: Int64 = 86_400_000_000
        let bucket = MemoryBucket()
        bucket.put("date=2026-01-01/a.json", "1\n", modified: 20_000 * day)
        bucket.put("date=2026-11-21/b.json", "2\n", modified: 20_010 * day)
        let collector = collector(bucket)
        collector.firstDay = 20_005
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["1", "2"] && collector.state.objects.count == 1)
        bucket.put("date=2026-01-01/c.json", "3\n", modified: 20_005 * day - 1)
        bucket.put("date=2026-01-01/d.json", "4\n", modified: 20_005 * day)
        time.nanoseconds = Self.hour
        try collector.drain()
        #expect(collector.lines.map(\.line) == ["1", "2", "4"])
        #expect(collector.remarks == [.areTooOld(count: 2)], "a look that leaps over them says so too")
        time.nanoseconds = 2 * Self.hour
        bucket.remove("date=2026-01-01/a.json")
        try collector.drain()
        #expect(collector.remarks == [.areTooOld(count: 1)])
    }

    @Test("an object of an old day whose bytes are the same under a new version is opened once")
    func unchanged() throws {
        let bucket = MemoryBucket()
        bucket.put("date=2026-01-01/a.json", "1\n")
        let collector = collector(bucket)
        try collector.drain()
        bucket.put("date=2026-01-01/a.json", "1\n")
        time.nanoseconds = Self.hour
        try collector.drain()
        #expect(bucket.takeRequests().filter { $0 == .start("date=2026-01-01/a.json") }.count == 2)
        time.nanoseconds = 2 * Self.hour
        try collector.drain()
        #expect(bucket.takeRequests().allSatisfy { $0 == .list })
    }
}
