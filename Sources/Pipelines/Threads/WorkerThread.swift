import Glibc
import Synchronization

/// Work on a thread of its own: blocking calls and deep stacks stay off the cooperative pool.
package struct WorkerThread {
    /// Runs `body` on a new thread and waits for it.
    ///
    /// - Parameters:
    ///   - stackByteCount: Size of the thread's stack, in bytes.
    ///   - body: The work.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    package static func run<Result: Sendable>(
        stackByteCount: Int,
        _ body: @escaping @Sendable () throws -> Result
    ) throws -> Result {
        let outcome = OutcomeBox<Result>()
        let thread = start(stackByteCount: stackByteCount) { outcome.store(Swift.Result(catching: body)) }
        thread.join()
        return try outcome.take().get()
    }

    /// Runs `body` on a new thread without holding up the task's own.
    ///
    /// - Parameters:
    ///   - stackByteCount: Size of the thread's stack, in bytes.
    ///   - body: The work.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    package static func run<Result: Sendable>(
        stackByteCount: Int,
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        let outcome = OutcomeBox<Result>()
        await withCheckedContinuation { continuation in
            let thread = start(stackByteCount: stackByteCount) {
                outcome.store(Swift.Result(catching: body))
                continuation.resume()
            }
            thread.detach()
        }
        return try outcome.take().get()
    }

    /// Starts `body` on a new thread; `join` has to be called once.
    package static func start(stackByteCount: Int, _ body: @escaping @Sendable () -> Void) -> WorkerThread {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackByteCount)
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
        let status = pthread_create(
            &thread,
            &attributes,
            { context in
                if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            context
        )
        precondition(status == 0, "the system has no room for another thread")
        return WorkerThread(thread: thread)
    }

    private let thread: pthread_t

    /// Lets the thread clean up after itself; it is not joined then.
    package func detach() { pthread_detach(thread) }

    /// Waits until the work is done.
    package func join() { pthread_join(thread, nil) }
}

private final class ThreadBody {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Carries a thread's result to the one that joins it.
private final class OutcomeBox<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)

    func store(_ result: Result<Value, any Error>) { outcome.withLock { $0 = result } }

    func take() -> Result<Value, any Error> {
        guard let result = outcome.withLock({ $0 }) else {
            preconditionFailure("the thread was joined before its end")
        }
        return result
    }
}
