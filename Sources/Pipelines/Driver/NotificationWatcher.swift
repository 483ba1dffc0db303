import Intake

/// Waits for notifications of objects, which a thread of its own receives.
///
/// `@unchecked Sendable`: the objects are used by the thread that waits alone, to which they belong.
final class NotificationWatcher: SourceWatcher, @unchecked Sendable {
    private static let stackByteCount = 512 << 10

    private let inbox: NotificationInbox
    private let objects: NotifiedObjects

    /// Begins to receive; `wake` ends it.
    init(_ objects: NotifiedObjects) {
        self.objects = objects
        let (inbox, queue) = objects.receiveElsewhere()
        self.inbox = inbox
        // A request that waits cannot be ended: the thread ends after it, and nobody waits for that.
        WorkerThread.start(stackByteCount: Self.stackByteCount) { inbox.receive(from: queue) }.detach()
    }

    func wait(until deadline: ContinuousClock.Instant) {
        // Messages whose objects have their receipt by now go before they are handed out again.
        if !objects.awaitsReceipts { inbox.wait(until: deadline) }
    }

    func wake() { inbox.close() }
}
