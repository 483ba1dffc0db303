import Foundation
import Intake

/// A thread that fills an inbox until that is closed.
final class ReceivingThread: Sendable {
    private let ended = DispatchSemaphore(value: 0)

    init(_ inbox: NotificationInbox, _ queue: any MessageQueue) {
        Thread.detachNewThread { [ended] in
            inbox.receive(from: queue)
            ended.signal()
        }
    }

    /// Waits for its end.
    func join() { ended.wait() }
}
