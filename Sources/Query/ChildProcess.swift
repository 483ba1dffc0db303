import Foundation
import Synchronization

/// A running child of this process, which ends with its task and with this process, however that ends.
///
/// Foundation's `Process` puts a child into a process group of its own, so that Ctrl-C on the terminal would end the
/// parent and leave the child; this one stays in the group of its parent and gets the interrupt too. What the child
/// writes goes through this process, which alone can tell that it did not arrive.
final class ChildProcess: Sendable {
    /// How a child ended.
    enum End: Hashable {
        /// By itself, with an exit code, and all its output has arrived.
        case exited(Int32)
        /// By a signal that somebody else sent.
        case signalled(Int32)
        /// Killed, because its output could not be passed on; with the number of the error.
        case outputFailed(Int32)
        /// Killed, because the time limit passed.
        case timedOut
        /// Killed, because the task was cancelled.
        case cancelled
    }

    /// What the child reads, and where its output goes.
    struct Streams {
        var input: FileHandle
        var output: FileHandle
        var errorOutput: FileHandle
    }

    private struct State {
        var identifier: pid_t = 0
        var exit: End?
        var killedFor: End?
        var isOutputDone = false
        var waiter: CheckedContinuation<End, Never>?

        /// How it all ended; nil while the child lives, or output that somebody waits for is under way.
        var end: End? {
            guard let exit else { return nil }
            return killedFor ?? (isOutputDone ? exit : nil)
        }
    }

    /// Util-linux's program that has the kernel kill the child when this process is gone; may be missing.
    private static let guardian = "/usr/bin/setpriv"

    private let state = Mutex(State())

    /// Starts `executable` with its streams and nothing else that this process has open.
    ///
    /// - Throws: ``QueryError`` with code `engineMissing` when the program cannot be started.
    init(
        executable: String,
        arguments: [String],
        environment: [String: String],
        streams: Streams
    ) throws(QueryError) {
        guard access(executable, X_OK) == 0 else { throw Self.doesNotStart(executable, errno) }
        let hasGuardian = access(Self.guardian, X_OK) == 0
        let command =
            (hasGuardian ? [Self.guardian, "--pdeathsig", "KILL", "--"] : []) + [executable] + arguments
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Self.doesNotStart(executable, errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (source, sink) = (ends[0], ends[1])
        let descriptors = [streams.input.fileDescriptor, sink, streams.errorOutput.fileDescriptor]

        // The kernel takes the death of the thread that started the child for the death of its parent: the thread has
        // to live as long as the child.
        let outcome = Mutex<Int32>(0)
        let isStarted = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let result = Self.spawn(command, environment, descriptors)
            self.state.withLock { $0.identifier = result.child }
            outcome.withLock { $0 = result.status }
            isStarted.signal()
            if result.status == 0 { self.reap() }
        }
        isStarted.wait()
        close(sink)
        let status = outcome.withLock { $0 }
        guard status == 0 else {
            close(source)
            throw Self.doesNotStart(executable, status)
        }
        let output = streams.output
        Thread.detachNewThread { self.passOn(from: source, to: output) }
    }

    private static func doesNotStart(_ executable: String, _ error: Int32) -> QueryError {
        QueryError(.engineMissing, "\(executable) does not start: \(String(cString: strerror(error)))")
    }

    private static func spawn(
        _ command: [String],
        _ environment: [String: String],
        _ descriptors: [Int32]
    ) -> (status: Int32, child: pid_t) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
        }
        for descriptor in openDescriptors() where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        resetSignals(&attributes)

        var child: pid_t = 0
        let status = CStringArray.with(command) { argumentPointers in
            CStringArray.with(environment.map { "\($0)=\($1)" }) { environmentPointers in
                posix_spawn(&child, command[0], &actions, &attributes, argumentPointers, environmentPointers)
            }
        }
        return (status, child)
    }

    /// Waits until the child has ended and its output has arrived.
    ///
    /// Kills it when `timeout` passes, the task is cancelled or the output cannot be written; then output that is
    /// still under way is not waited for.
    func end(timeout: Duration?) async -> End {
        let hasEnded = DispatchSemaphore(value: 0)
        if let timeout {
            // A thread of its own: a task that sleeps may wait for one of the few threads that all tasks share.
            let nanoseconds = Int(timeout / .nanoseconds(1))
            Thread.detachNewThread {
                if hasEnded.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .timedOut {
                    self.kill(for: .timedOut)
                }
            }
        }
        defer { hasEnded.signal() }
        return await withTaskCancellationHandler {
            await self.end()
        } onCancel: {
            kill(for: .cancelled)
        }
    }

    private func end() async -> End {
        await withCheckedContinuation { continuation in
            change { $0.waiter = continuation }
        }
    }

    /// Changes the state, and wakes who waits for the end if this was it.
    private func change(_ body: (inout State) -> Void) {
        let (waiter, end) = state.withLock { state -> (CheckedContinuation<End, Never>?, End?) in
            body(&state)
            guard let end = state.end else { return (nil, nil) }
            defer { state.waiter = nil }
            return (state.waiter, end)
        }
        if let end { waiter?.resume(returning: end) }
    }

    /// Kills the child unless it has been reaped: its number may belong to another process by then.
    private func kill(for reason: End) {
        change { state in
            guard state.end == nil, state.killedFor == nil else { return }
            state.killedFor = reason
            if state.exit == nil { _ = Foundation.kill(state.identifier, SIGKILL) }
        }
    }

    /// Blocks until the child has ended, and only then takes the lock to reap it.
    private func reap() {
        let identifier = state.withLock { $0.identifier }
        var information = siginfo_t()
        while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        change { state in
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            state.exit = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
        }
    }

    /// Copies what the child writes until it closes its end, or the output takes no more.
    private func passOn(from source: Int32, to output: FileHandle) {
        // A reader that went away shows as an error of the write, and ends nothing but this thread.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        var failure: Int32 = 0
        while failure == 0 {
            let count = read(source, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            failure = Self.write(bytes[..<count], to: output.fileDescriptor)
        }
        close(source)
        if failure != 0 { kill(for: .outputFailed(failure)) }
        change { $0.isOutputDone = true }
    }

    /// Writes all of `bytes`; returns the error's number, or zero.
    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if count >= 0 {
                    written += count
                } else if errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    /// What this process has open now; a descriptor that is closed meanwhile does no harm.
    private static func openDescriptors() -> [Int32] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                Int32($0)
            }
        } catch {
            return []
        }
    }

    /// The child starts with every signal at its default and none blocked, whatever this process does with them.
    private static func resetSignals(_ attributes: inout posix_spawnattr_t) {
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    }
}

/// Swift strings as the array of C strings that `exec` wants.
private enum CStringArray {
    /// Calls `body` with a null-terminated array, valid during the call.
    static func with<Result>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else {
                preconditionFailure("the array holds at least its end")
            }
            return body(base)
        }
    }
}
