import Foundation
import Glibc
import Intake
import Monitors
import ObjectStorage
import Pipelines
import Testing

/// Sources in a bucket that takes requests and does not answer them.
@Suite struct SilentSourceTests {
    /// A bucket whose listings wait until nobody wants to wait any longer.
    private final class SilentBucket: Bucket {
        let url = "s3://silent"
        let failures: FailureBell? = FailureBell()
        private let hasGivenUp = Monitor(false)

        func giveUp() { hasGivenUp.change { $0 = true } }

        private func wait() -> StorageError {
            let error = StorageError(code: .other(ETIMEDOUT), operation: "list", path: url)
            failures?.ring(error)
            hasGivenUp.change(once: { $0 }, { _ in })
            return error
        }

        func list(prefix: String, behind key: String, _ page: ([S3Object]) throws -> Bool) throws {
            throw wait()
        }
        func heads(of keys: [String]) -> [Result<S3Object?, any Error>] { keys.map { _ in .failure(wait()) } }
        func start(of key: String, byteCount: Int) throws -> S3Body? { throw wait() }
        func startLater(of key: String, byteCount: Int) -> any PendingBody { Pending(error: wait()) }
        func read(
            _ object: S3Object,
            at offset: UInt64,
            into buffer: UnsafeMutableRawBufferPointer
        ) throws -> Int {
            throw wait()
        }

        private struct Pending: PendingBody {
            let error: StorageError
            func value() throws -> S3Body? { throw error }
        }
    }

    @Test func aStopDoesNotWaitForThem() async throws {
        try await DatabricksFixture.with { lake in
            lake.settings.objects.bucket = SilentBucket()
            lake.settings.objects.source.patterns = ["s3://silent/**/*.json"]
            let run = FollowedRun(lake, .all)
            let told = await run.next {
                if case .unreadable(let errors) = $0 { errors.map(\.path) } else { nil }
            }
            #expect(told == ["s3://silent"])
            let summary = try await run.end()
            #expect(summary.batches == 0)
        }
    }
}
