import Monitors

/// Asks a run to stop, from any thread, and lets it sleep until then.
package final class StopRequest: Sendable {
    private struct State: Sendable {
        var wasMade = false
        var listeners: [@Sendable () -> Void] = []
    }

    private let state = Monitor(State())

    /// Creates a request that has not been made.
    package init() {}

    /// Whether the run is to stop.
    package var isMade: Bool { state.read(\.wasMade) }

    /// Asks the run to stop; ends every sleep and calls every listener, the first time.
    package func make() {
        let waiting = state.change { state in
            defer { state = State(wasMade: true) }
            return state.listeners
        }
        for listener in waiting { listener() }
    }

    /// Calls `listener` once when the request is made; at once when it was.
    package func onceMade(_ listener: @escaping @Sendable () -> Void) {
        let isLate = state.change { state in
            if !state.wasMade { state.listeners.append(listener) }
            return state.wasMade
        }
        if isLate { listener() }
    }

    /// Sleeps until the request is made, at most for `duration`.
    package func sleep(for duration: Duration) { state.wait(for: duration, until: \.wasMade) }
}
