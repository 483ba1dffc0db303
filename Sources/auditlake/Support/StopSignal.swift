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

/// Runs `body` in a task that Ctrl-C, a termination request or a hang-up cancels, so that it can clean up.
///
/// A signal that this process was started to ignore stays ignored, as `nohup` wants it.
func cancelledBySignals(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task { try await body() }
    let sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number -> (any DispatchSourceSignal)? in
        guard signal(number, SIG_IGN).map({ unsafeBitCast($0, to: Int.self) }) != 1 else { return nil }
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { task.cancel() }
        source.activate()
        return source
    }
    defer { for source in sources { source.cancel() } }
    try await task.value
}
