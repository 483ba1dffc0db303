import Intake
import ObjectStorage
import SimulatedBucket
import Testing

/// What goes from the thread that receives to the one that takes.
@Suite struct NotificationInboxTests {
    private let queue = MemoryQueue()
    private let inbox = NotificationInbox()
    private let patience = Duration.seconds(600)

    private func end(_ thread: ReceivingThread) {
        inbox.close()
        queue.close()
        thread.join()
    }

    @Test func messagesComeInOrderAndOnce() {
        let ids = (1...25).map { _ in queue.send("x") }
        let thread = ReceivingThread(inbox, queue)
        var taken: [String] = []
        while taken.count < ids.count {
            inbox.wait(until: .now + patience)
            taken += inbox.take().messages.map(\.id)
        }
        #expect(taken == ids)
        end(thread)
    }

    @Test func aFullInboxReceivesNoMore() {
        for _ in 1...1_050 { queue.send("x") }
        let thread = ReceivingThread(inbox, queue)
        var count = 0
        var most = 0
        while count < 1_050 {
            inbox.wait(until: .now + patience)
            let part = inbox.take().messages.count
            most = max(most, part)
            count += part
        }
        #expect(most <= 1_009, "a request brings ten at the most")
        end(thread)
    }

    @Test func aFailureIsToldUntilARequestSucceeds() {
        let error = StorageError(code: .permissionDenied, operation: "receive messages of", path: "q")
        queue.fail(error)
        let thread = ReceivingThread(inbox, queue)
        while inbox.take().failure == nil { inbox.wait(until: .now + .milliseconds(1)) }
        #expect(inbox.take().failure == error)
        queue.fail(nil)
        queue.send("x")
        inbox.wait(until: .now + patience)
        let (messages, failure) = inbox.take()
        #expect(messages.count == 1 && failure == nil)
        end(thread)
    }

    @Test func closingEndsTheWaitAndTheThread() {
        let thread = ReceivingThread(inbox, queue)
        end(thread)
        inbox.wait(until: .now + patience)
        #expect(inbox.take().messages.isEmpty)
    }
}
