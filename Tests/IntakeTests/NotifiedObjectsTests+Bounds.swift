import Glibc
import ObjectStorage
import SimulatedBucket
import Testing

@testable import Intake

/// What is kept in mind, and what comes to an end.
extension NotifiedObjectsTests {
    // MARK: Bounds

    @Test func whatIsUnreadBeyondTheBoundIsFoundByAnotherListing() throws {
        limits.objects = 2
        for number in 1...5 { put("\(number).json", "\(number)\n") }
        try collector.batch(isLost: true)
        let listings = try drained().filter { $0 == .list }.count
        #expect(listings == 2, "one finds what was lost, one that nothing is left")
        #expect(lines == ["1", "2", "3", "4", "5"])
        #expect(try drained() == [])
    }

    @Test func whatIsReadTakesNoRoom() throws {
        limits.objects = 2
        put("a.json", "1\n")
        put("b.json", "2\n")
        try collector.drain()
        deliver("c.json", "3\n", etag: "etag-3")
        try denying(["in/c.json"]) { try collector.drain() }
        #expect(try drained() == [.head("in/c.json"), .start("in/c.json")])
        #expect(lines == ["1", "2", "3"])
    }

    @Test func messagesOfWhatCannotBeReadHoldUpNoOthers() throws {
        limits.messages = 2
        limits.objects = 2
        try collector.drain()
        for number in 1...3 {
            deliver("\(number).json", "\(number)\n", etag: "etag-\(number)")
        }
        try denying(["in/1.json", "in/2.json", "in/3.json"]) {
            try collector.drain()
            deliver("4.json", "4\n", etag: "etag-4")
            let asked = try drained().compactMap { if case .head(let key) = $0 { key } else { nil } }
            #expect(Set(asked).count == 3, "two that cannot be read, and the new one")
        }
        #expect(lines == ["4"] && collector.unreadable.count == 1, "the new one has taken a place")
        // What was forgotten comes with its message, or with the next listing.
        queue.showAgain()
        try collector.drain()
        #expect(Set(lines) == ["1", "2", "3", "4"] && queue.messages.isEmpty)
    }

    @Test func noMoreMessagesAreTakenWhileTheBucketDoesNotAnswer() throws {
        limits.messages = 2
        try collector.drain()
        let (inbox, _) = objects.receiveElsewhere()
        let thread = ReceivingThread(inbox, queue)
        bucket.beforeRequests { _ in
            throw StorageError(errno: EAGAIN, operation: "look at", path: "s3://bucket/in/a.json")
        }
        for _ in 1...3 {
            queue.notify("in/a.json", etag: "etag-1")
            inbox.wait(until: .now + .seconds(600))
            #expect(throws: StorageError.self) { try collector.batch() }
        }
        #expect(inbox.take().messages.count == 1)
        inbox.close()
        queue.close()
        thread.join()
    }

    // MARK: Messages that cannot be deleted

    private static let noDeletion = StorageError(
        code: .permissionDenied,
        operation: "delete messages of",
        path: "q"
    )

    @Test func whoMayNotDeleteIsToldAndComesToAnEnd() throws {
        for number in 1...25 { put("\(number).json", "\(number)\n") }
        for number in 1...25 { queue.notify("in/\(number).json", etag: "etag-\(number)") }
        queue.fail(nil, deletions: Self.noDeletion)
        queue.hidesNothing()
        try collector.drain()
        #expect(lines.count == 25 && queue.messages.count == 25)
        #expect(collector.unreadable == [Self.noDeletion])
        queue.fail(nil)
        try collector.drain()
        #expect(queue.messages.isEmpty && collector.unreadable.isEmpty)
    }

    @Test func aDeletionThatFailsAfterTheLastLookIsTold() throws {
        try collector.drain()
        queue.notify("in/gone.json", etag: "etag-1")
        queue.fail(nil, deletions: Self.noDeletion)
        try collector.drain()
        #expect(collector.unreadable == [Self.noDeletion])
    }
}
