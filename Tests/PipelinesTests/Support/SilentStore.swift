import ObjectStorage
import Pipelines

/// A lake that does not answer: each call fails, is tried again without end, and ends when nobody wants to wait any longer.
final class SilentStore: ObjectStore {
    let root = "s3://silent/lake"
    let isLocal = false
    private let bell = FailureBell()
    private let patience = StopRequest()
    private let calls = AsyncStream<Void>.makeStream()
    private let endsWithAStop: Bool

    /// Creates a store whose calls end when a run is stopped, or with `end` alone.
    init(endsWithAStop: Bool = true) { self.endsWithAStop = endsWithAStop }

    /// Ends all calls.
    func end() { patience.make() }

    /// Waits for the first call.
    func isAsked() async {
        for await _ in calls.stream { return }
    }

    var failures: FailureBell? { bell }
    func giveUp() { if endsWithAStop { end() } }

    private func fail() -> StorageError {
        let error = StorageError(code: .other(5), operation: "read", path: "\(root)/a")
        bell.ring(error)
        calls.continuation.yield()
        patience.sleep(for: .seconds(86_400))
        return error
    }

    func read(_ key: String) throws -> [UInt8]? { throw fail() }
    func open(_ key: String) throws -> (any ObjectContent)? { throw fail() }
    func exists(_ key: String) throws -> Bool { throw fail() }
    func hasFolder(_ folder: String) throws -> Bool { throw fail() }
    func list(_ folder: String) throws -> [ObjectEntry] { throw fail() }
    func remove(_ key: String) throws { throw fail() }
    func removeFolder(_ folder: String) throws { throw fail() }
    func putIfAbsent(_ key: String, _ bytes: [UInt8]) throws -> Bool { throw fail() }
    func replace(_ key: String, _ bytes: [UInt8]) throws { throw fail() }
    func writer(_ key: String) throws -> any ObjectWriter { throw fail() }
    func publisher(_ key: String) throws -> any ObjectWriter { throw fail() }
    func makeDurable(_ key: String) throws { throw fail() }
}
