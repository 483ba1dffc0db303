import Monitors

/// Hands values from one thread to another, at most `capacity` waiting: the slower side sets the pace.
final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var waiting: [Element] = []
        var isClosed = false
    }

    private let state = Monitor(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// Waits for room and adds a value; false when the queue is closed.
    func push(_ element: Element) -> Bool {
        let hasRoom = { (state: State) in state.waiting.count < self.capacity || state.isClosed }
        return state.change(once: hasRoom) { state in
            guard !state.isClosed else { return false }
            state.waiting.append(element)
            return true
        }
    }

    /// Waits for a value; nil once the queue is closed and empty.
    func pop() -> Element? {
        let hasSome = { (state: State) in !state.waiting.isEmpty || state.isClosed }
        return state.change(once: hasSome) { state in
            state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
    }

    /// Lets waiting values through and refuses new ones; with `discarding`, drops them.
    func close(discarding: Bool = false) {
        state.change { state in
            state.isClosed = true
            if discarding { state.waiting.removeAll() }
        }
    }
}
