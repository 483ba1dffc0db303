import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Gathers an answer: the body of a success goes straight into the caller's buffer, when there is one.
///
/// Its methods are called on an event loop while the caller waits. After `release` the buffer is not touched again.
final class ResponseCollector: HTTPClientResponseDelegate {
    typealias Response = Void

    /// The caller's memory, which outlives the wait.
    ///
    /// `@unchecked Sendable`: it is written under the lock alone, and not after `release`, before which the caller waits.
    private struct Target: @unchecked Sendable {
        var memory: UnsafeMutableRawBufferPointer
    }

    private struct State {
        var target: Target?
        var response = WebResponse(status: 0, headers: [:], body: [], byteCountInBuffer: 0)
        var isTooLong = false
        var hasBegun = false
    }

    /// Bodies of refusals are cut here; their first lines say why.
    private static let maximumRefusal = 1 << 20
    /// More than this is not reserved on the word of a header.
    private static let maximumReserve = 64 << 20

    private let state: Mutex<State>

    init(into memory: UnsafeMutableRawBufferPointer?) {
        state = Mutex(State(target: memory.map { Target(memory: $0) }))
    }

    /// Whether any part of the request was sent.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    func didSendRequestHead(task: HTTPClient.Task<Void>, _ head: HTTPRequestHead) {
        state.withLock { $0.hasBegun = true }
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.withLock { state in
            state.response.status = Int(head.status.code)
            state.response.headers = head.headers
            if state.target == nil,
                let length = head.headers.first(name: "Content-Length").flatMap({ Int($0) })
            {
                state.response.body.reserveCapacity(max(0, min(length, Self.maximumReserve)))
            }
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        state.withLock { state in
            part.withUnsafeReadableBytes { Self.add($0, to: &state) }
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) throws {}

    /// Lets go of the caller's buffer.
    func release() { state.withLock { $0.target = nil } }

    /// The whole answer; to be called when the wait is over.
    ///
    /// - Throws: `WebFailure` when it is longer than the caller's buffer, or shorter than its header says.
    func close() throws(WebFailure) -> WebResponse {
        release()
        let (response, isTooLong) = state.withLock { ($0.response, $0.isTooLong) }
        if isTooLong {
            throw WebFailure(
                kind: .broken,
                mayHaveArrived: true,
                reason: "the answer is longer than what was asked for"
            )
        }
        return response
    }

    private static func add(_ bytes: UnsafeRawBufferPointer, to state: inout State) {
        guard state.response.isSuccess else {
            let room = maximumRefusal - state.response.body.count
            return state.response.body.append(contentsOf: bytes.prefix(max(0, room)))
        }
        guard let memory = state.target?.memory else { return state.response.body.append(contentsOf: bytes) }
        let at = state.response.byteCountInBuffer
        guard bytes.count <= memory.count - at else {
            state.isTooLong = true
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[at...]).copyMemory(from: bytes)
        state.response.byteCountInBuffer += bytes.count
    }
}
