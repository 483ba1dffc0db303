import Foundation
import Synchronization

/// A running child of this process, which ends with its task.
///
/// Foundation's `Process` puts a child into a process group of its own, so that Ctrl-C on the terminal would end the
/// parent and leave the child; this one stays in the group of its parent and gets the interrupt too.
final class ChildProcess: Sendable {
    /// How a child ended.
    enum End: Hashable {
        /// By itself, with an exit code.
        case exited(Int32)
        /// By a signal that somebody else sent.
        case signalled(Int32)
        /// Killed, because the time limit passed.
        case timedOut
        /// Killed, because the task was cancelled.
        case cancelled
    }

    private struct State {
        var isReaped = false
        var killedFor: End?
    }

    private let identifier: pid_t
    private let state = Mutex(State())

    /// Starts `executable` with three descriptors and nothing else that this process has open.
    ///
    /// - Throws: ``QueryError`` with code `engineMissing` when the program cannot be started.
    init(
        executable: String,
        arguments: [String],
        environment: [String: String],
        input: FileHandle,
        output: FileHandle,
        errorOutput: FileHandle
    ) throws(QueryError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in [input, output, errorOutput].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source.fileDescriptor, Int32(target))
        }
        for descriptor in ChildProcess.openDescriptors() where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        ChildProcess.resetSignals(&attributes)

        var child: pid_t = 0
        let status = CStringArray.with([executable] + arguments) { argumentPointers in
            CStringArray.with(environment.map { "\($0)=\($1)" }) { environmentPointers in
                posix_spawn(&child, executable, &actions, &attributes, argumentPointers, environmentPointers)
            }
        }
        guard status == 0 else {
            throw QueryError(
                .engineMissing,
                "\(executable) does not start: \(String(cString: strerror(status)))"
            )
        }
        self.identifier = child
    }

    /// Waits until the child has ended; kills it when `timeout` passes or the task is cancelled.
    func end(timeout: Duration?) async -> End {
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                if let timeout {
                    group.addTask {
                        do { try await Task.sleep(for: timeout) } catch { return }  // The child ended first.
                        self.kill(for: .timedOut)
                    }
                }
                let end = await self.exit()
                group.cancelAll()
                return end
            }
        } onCancel: {
            kill(for: .cancelled)
        }
    }

    /// Kills the child unless it has been reaped: its number may belong to another process by then.
    private func kill(for reason: End) {
        state.withLock { state in
            guard !state.isReaped, state.killedFor == nil else { return }
            state.killedFor = reason
            _ = Foundation.kill(identifier, SIGKILL)
        }
    }

    /// Waits on a thread of its own, not on one of the cooperative pool.
    private func exit() async -> End {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.reap()) }
        }
    }

    /// Blocks until the child has ended, and only then takes the lock to reap it.
    private func reap() -> End {
        var information = siginfo_t()
        while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            state.isReaped = true
            let signal = status & 0x7F
            return state.killedFor ?? (signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal))
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
