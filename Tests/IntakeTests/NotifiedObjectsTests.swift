import BatchProtocol
import Glibc
import ObjectStorage
import SimulatedBucket
import Testing

@testable import Intake

/// Objects of a bucket that tells of new ones: what is read, what is asked for, and which messages go.
@Suite final class NotifiedObjectsTests {
    let bucket = MemoryBucket()
    let queue = MemoryQueue()
    /// Since the machine began, in nanoseconds.
    private var uptime: Int64 = 0
    /// What somebody has set the clock to, in nanoseconds.
    private var wallClock: Int64 = 1_793_491_200_000_000_000
    var limits = NotifiedObjects.Limits()
    private var places: [NotifiedObjects] = []
    lazy var collector = ObjectCollector(
        ObjectSource(patterns: ["s3://bucket/in/**/*.json"]),
        clock: { [unowned self] in wallClock },
        place: { [unowned self] in place() }
    )

    /// The place that the collector uses now.
    var objects: NotifiedObjects { places[places.count - 1] }

    private func place() -> NotifiedObjects {
        let base = BucketObjects(
            bucket,
            patterns: ["s3://bucket/in/**/*.json"],
            clock: { [unowned self] in wallClock }
        )
        let place = NotifiedObjects(
            base,
            queue: queue,
            listInterval: .seconds(3_600),
            limits: limits,
            uptime: { [unowned self] in uptime }
        )
        places.append(place)
        return place
    }

    func put(_ key: String, _ text: String) { bucket.put("in/\(key)", text) }

    /// Puts an object; the bucket tells of it.
    func deliver(_ key: String, _ text: String, etag: String) {
        put(key, text)
        queue.notify("in/\(key)", etag: etag)
    }

    /// Expects that these lines were read, each once, and that no message is left.
    func expectDone(_ expected: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(lines == expected, sourceLocation: sourceLocation)
        #expect(queue.messages.isEmpty, sourceLocation: sourceLocation)
    }

    /// Reads what is there, until nothing is unread; the requests of that.
    func drained() throws -> [MemoryBucket.Request] {
        _ = bucket.takeRequests()
        try collector.drain()
        return bucket.takeRequests()
    }

    /// Runs `body` while nobody may look at some objects.
    func denying(_ keys: Set<String>, _ body: () throws -> Void) rethrows {
        bucket.beforeRequests { request in
            guard case .head(let key) = request, keys.contains(key) else { return }
            throw StorageError(code: .permissionDenied, operation: "look at", path: "s3://bucket/\(key)")
        }
        defer { bucket.beforeRequests(nil) }
        try body()
    }

    var lines: [String] { collector.lines.map(\.line) }

    // MARK: Hints

    @Test func theFirstLookListsAndLaterOnesAskForWhatMessagesName() throws {
        put("a.json", "1\n")
        #expect(try drained().filter { $0 == .list }.count == 1)
        deliver("b.json", "2\n", etag: "etag-2")
        #expect(try drained() == [.head("in/b.json"), .start("in/b.json")])
        #expect(lines == ["1", "2"])
        #expect(queue.messages.isEmpty)
        #expect(try drained() == [], "a look without messages asks for nothing")
    }

    @Test func aMessageAboutAListedVersionIsDeletedWithoutAnotherRequest() throws {
        deliver("a.json", "1\n", etag: "etag-1")
        queue.notify("in/a.json", etag: "etag-1")
        #expect(try drained() == [.list, .start("in/a.json")])
        expectDone(["1"])
    }

    @Test func aMessageIsDeletedAfterTheReceiptAndNotBefore() throws {
        try collector.drain()
        deliver("a.json", "1\n", etag: "etag-1")
        try collector.batch(isLost: true)
        #expect(queue.messages.count == 1, "the batch was lost")
        try collector.batch()
        #expect(queue.messages.count == 1, "the look came before the receipt")
        try collector.batch()
        #expect(queue.messages.isEmpty)
        #expect(lines == ["1"])
    }

    @Test func aLostBatchOfListedObjectsIsMadeAgainWithoutAListing() throws {
        put("a.json", "1\n")
        put("b.json", "2\n")
        try collector.batch(isLost: true)
        #expect(try drained().contains(.list) == false)
        #expect(lines == ["1", "2"])
    }

    @Test func aProcessThatDiesTakesNothingTwice() throws {
        try collector.drain()
        deliver("a.json", "1\n", etag: "etag-1")
        try collector.batch()
        #expect(queue.messages.count == 1)
        collector.restart()
        queue.showAgain()
        try collector.drain()
        expectDone(["1"])
    }

    // MARK: Messages that repeat, lie and come late

    @Test func messagesOutOfOrderAndTwiceTakeEachLineOnce() throws {
        try collector.drain()
        put("a.json", "1\n")
        deliver("a.json", "1\n2\n", etag: "etag-2")
        queue.notify("in/a.json", etag: "etag-1")
        queue.notify("in/a.json", etag: "etag-2")
        let requests = try drained()
        #expect(requests == [.head("in/a.json"), .start("in/a.json")])
        queue.notify("in/a.json", etag: "etag-1")
        #expect(try drained() == [.head("in/a.json")], "an old version may be news")
        expectDone(["1", "2"])
    }

    @Test func whatIsOverwrittenBetweenMessageAndRequestIsReadAsItIs() throws {
        try collector.drain()
        deliver("a.json", "1\n", etag: "etag-1")
        bucket.beforeRequests { [bucket] request in
            guard request == .head("in/a.json") else { return }
            bucket.beforeRequests(nil)
            bucket.put("in/a.json", "1\n2\n")
        }
        try collector.drain()
        expectDone(["1", "2"])
    }

    @Test func newsDuringABatchAreLookedAtAfterIt() throws {
        try collector.drain()
        deliver("a.json", "1\n", etag: "etag-1")
        try collector.batch()
        deliver("a.json", "1\n2\n", etag: "etag-2")
        try collector.drain()
        expectDone(["1", "2"])
    }

    @Test func newsOutliveTheReceiptOfAnOlderVersion() throws {
        let place = place()
        _ = try place.list(unless: { _, _ in false }, { _ in })
        _ = place.conclude(unread: [], failing: [])
        deliver("a.json", "1\n", etag: "etag-1")
        _ = try place.list(unless: { _, _ in false }, { _ in })
        let object = FoundObject(key: "s3://bucket/in/a.json", byteCount: 2, modified: 0, version: "etag-1")
        _ = place.conclude(unread: [object], failing: [])
        queue.notify("in/a.json", etag: "etag-2")
        bucket.beforeRequests { _ in
            throw StorageError(errno: EAGAIN, operation: "look at", path: "s3://bucket/in/a.json")
        }
        #expect(throws: StorageError.self) { try place.list(unless: { _, _ in false }, { _ in }) }
        bucket.beforeRequests(nil)
        _ = bucket.takeRequests()
        // Another process has brought the old version to its receipt.
        _ = try place.list(unless: { $1 == "etag-1" }, { _ in })
        #expect(bucket.takeRequests() == [.head("in/a.json")])
    }

    @Test func aVanishedObjectIsNoLoss() throws {
        try collector.drain()
        queue.notify("in/a.json", etag: "etag-1")
        #expect(try drained() == [.head("in/a.json")])
        #expect(queue.messages.isEmpty && collector.unreadable.isEmpty)
    }

    @Test func anExpiredHandleDoesNoHarm() throws {
        try collector.drain()
        deliver("a.json", "1\n", etag: "etag-1")
        try collector.batch()
        queue.showAgain()
        _ = try queue.receive(wait: .zero)
        try collector.drain()
        #expect(queue.messages.count == 1, "it was handed out to somebody else meanwhile")
        queue.showAgain()
        #expect(try drained() == [])
        expectDone(["1"])
    }

    @Test func aMessageThatIsHandedOutAgainIsDeletedByItsNewHandle() throws {
        try collector.drain()
        deliver("a.json", "1\n", etag: "etag-1")
        try collector.batch(isLost: true)
        queue.showAgain()
        try collector.drain()
        expectDone(["1"])
    }

    // MARK: Messages about nothing

    @Test func otherObjectsAndEventsAreDeletedAndCounted() throws {
        try collector.drain()
        queue.notify("in/a.json", etag: "e", bucket: "another")
        queue.notify("out/a.json", etag: "e")
        queue.notify("in/a.json.tmp", etag: "e")
        queue.notify("in/_hidden/a.json", etag: "e")
        queue.notify("in/a.json", etag: "e", event: "ObjectRemoved:Delete")
        queue.send(#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#)
        #expect(try drained() == [])
        #expect(queue.messages.isEmpty)
        #expect(objects.counts.received == 5 && objects.counts.ofOthers == 5 && objects.counts.deleted == 6)
    }

    @Test func whatIsNoNotificationStaysAndIsToldOnce() throws {
        let id = queue.send("hello")
        try collector.drain()
        #expect(
            collector.remarks == [
                .nothingMatches(pattern: "s3://bucket/in/**/*.json"), .isNoNotification(message: id),
            ]
        )
        queue.showAgain()
        try collector.drain()
        #expect(collector.remarks.filter { $0 == .isNoNotification(message: id) }.count == 1)
        #expect(objects.counts.strange == 1 && queue.messages == [id])
    }

    @Test func aMessageAboutTwoObjectsWaitsForBoth() throws {
        try collector.drain()
        put("a.json", "1\n")
        put("b.json", "2\n")
        let object = { (key: String) in
            #"{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"bucket"},"object":{"key":"\#(key)"}}}"#
        }
        queue.send(#"{"Records":[\#(object("in/a.json")),\#(object("in/b.json"))]}"#)
        try collector.batch(limit: 1)
        try collector.batch(limit: 1)
        #expect(lines == ["1", "2"] && queue.messages.count == 1)
        try collector.drain()
        #expect(queue.messages.isEmpty)
    }

    // MARK: Listings

    @Test func aLostNotificationIsMadeUpForByTheNextListing() throws {
        try collector.drain()
        put("a.json", "1\n")
        uptime += 3_599_000_000_000
        wallClock -= 86_400_000_000_000
        #expect(try drained() == [])
        uptime += 1_000_000_000
        #expect(try drained().contains(.list))
        #expect(lines == ["1"])
    }

    @Test func aQueueThatCannotBeReadIsReplacedByListings() throws {
        try collector.drain()
        let error = StorageError(code: .permissionDenied, operation: "receive messages of", path: "q")
        queue.fail(error)
        put("a.json", "1\n")
        #expect(try drained().contains(.list))
        #expect(lines == ["1"] && collector.unreadable == [error])
        queue.fail(nil)
        #expect(try drained() == [])
        #expect(collector.unreadable.isEmpty)
    }

    @Test func anObjectWithoutRightsIsAskedForAgainAndItsMessageStays() throws {
        try collector.drain()
        put("a.json", "1\n")
        put("b.json", "2\n")
        queue.notify("in/a.json", etag: "etag-1")
        queue.notify("in/b.json", etag: "etag-2")
        try denying(["in/a.json"]) { try collector.drain() }
        #expect(lines == ["2"] && queue.messages == ["message-1"] && collector.unreadable.count == 1)
        try collector.drain()
        #expect(lines == ["2", "1"] && collector.unreadable.isEmpty)
        queue.showAgain()
        #expect(try drained() == [])
        #expect(queue.messages.isEmpty)
    }

    @Test func namesThatLookAlikeAreSeveralObjects() throws {
        try collector.drain()
        put("\u{E9}.json", "1\n")
        put("e\u{301}.json", "2\n")
        queue.notify("in/%C3%A9.json", etag: "etag-1")
        queue.notify("in/e%CC%81.json", etag: "etag-2")
        try collector.drain()
        #expect(lines.sorted() == ["1", "2"] && queue.messages.isEmpty)
    }

    @Test func objectsAreReadInOrderOfTheirTimes() throws {
        try collector.drain()
        for name in ["c", "a", "b"] { put("\(name).json", "\(name)\n") }
        for (name, etag) in [("b", 3), ("c", 1), ("a", 2)] {
            queue.notify("in/\(name).json", etag: "etag-\(etag)")
        }
        try collector.drain()
        #expect(lines == ["c", "a", "b"])
    }

    @Test("an object that is too old and comes by a message is told, whatever the last listing had")
    func tooOld() throws {
        let day: Int64 = 86_400_000_000
        put("a.json", "1\n")
        collector.firstDay = 20_005
        try collector.drain()
        bucket.put("in/b.json", "2\n", modified: 20_000 * day)
        collector.restart()
        try collector.drain()
        #expect(collector.remarks == [.areTooOld(count: 1)])
        bucket.put("in/c.json", "3\n", modified: 20_000 * day)
        queue.notify("in/c.json", etag: "etag-3")
        try collector.drain()
        #expect(collector.remarks == [.areTooOld(count: 2)])
        queue.notify("in/c.json", etag: "etag-3")
        try collector.drain()
        #expect(collector.remarks == [.areTooOld(count: 2)], "told once")
        expectDone(["1"])
    }

    // MARK: Another thread receives

    @Test func messagesOfAnotherThreadAreTakenWithoutARequestToTheQueue() throws {
        try collector.drain()
        let (inbox, _) = objects.receiveElsewhere()
        let requests = queue.requestCount
        deliver("a.json", "1\n", etag: "etag-1")
        #expect(try drained() == [])
        #expect(queue.requestCount == requests)
        let thread = ReceivingThread(inbox, queue)
        inbox.wait(until: .now + .seconds(600))
        try collector.drain()
        expectDone(["1"])
        inbox.close()
        queue.close()
        thread.join()
    }
}
