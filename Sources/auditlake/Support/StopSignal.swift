import Foundation
import Synchronization

/// Notes the first Ctrl-C or termination request, so that a run can stop between two batches; the second one ends it.
enum StopSignal {
    private static let wasRaised = Atomic<Bool>(false)

    /// Whether a stop was asked for.
    @Sendable static func isRaised() -> Bool { wasRaised.load(ordering: .relaxed) }

    /// Starts to listen.
    static func listen() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                StopSignal.wasRaised.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }
}
