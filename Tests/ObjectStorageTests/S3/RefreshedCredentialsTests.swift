import Foundation
import ObjectStorage
import Synchronization
import Testing

/// Credentials are fetched before they end, once for all that wait, and kept while fetching fails.
@Suite struct RefreshedCredentialsTests {
    /// Gives what a test says, and counts.
    final class Source: CredentialsSource {
        let count = Mutex(0)
        let next: Mutex<@Sendable (Int) throws -> S3Credentials?>

        init(_ next: @escaping @Sendable (Int) throws -> S3Credentials?) { self.next = Mutex(next) }

        var loads: Int { count.withLock { $0 } }

        func load() throws -> S3Credentials? {
            let number = count.withLock { count in
                count += 1
                return count
            }
            return try next.withLock { $0 }(number)
        }
    }

    private static func keys(_ number: Int, until end: Int64?) -> S3Credentials {
        S3Credentials(accessKeyID: "KEY\(number)", secretAccessKey: "secret", expiration: end)
    }

    private static let hour: Int64 = 3_600_000_000
    private static let failure = S3Error(.timeout, "find credentials at", "http://x", message: "no answer")

    @Test("keys without an end are fetched once; new ones five minutes before the end of the old")
    func refresh() throws {
        let clock = TestClock()
        let fixed = Source { Self.keys($0, until: nil) }
        let lasting = RefreshedCredentials(fixed, clock: clock.clock)
        let source = Source { Self.keys($0, until: clock.now + Self.hour) }
        let provider = RefreshedCredentials(source, clock: clock.clock)
        for _ in 0..<3 {
            #expect(try lasting.credentials().accessKeyID == "KEY1")
            #expect(try provider.credentials().accessKeyID == "KEY1")
        }
        clock.advance(.seconds(3600 - 301))
        #expect(try provider.credentials().accessKeyID == "KEY1")
        clock.advance(.seconds(1))
        #expect(try provider.credentials().accessKeyID == "KEY2")
        #expect(try lasting.credentials().accessKeyID == "KEY1")
        #expect(source.loads == 2 && fixed.loads == 1)
    }

    @Test("while fetching fails the old keys serve until they end, and fetching has pauses")
    func failingRefresh() throws {
        let clock = TestClock()
        let source = Source { number in
            if number > 1 { throw Self.failure }
            return Self.keys(number, until: 1_767_323_045_000_000 + Self.hour)
        }
        let provider = RefreshedCredentials(source, clock: clock.clock)
        _ = try provider.credentials()
        clock.advance(.seconds(3400))
        for _ in 0..<10 { #expect(try provider.credentials().accessKeyID == "KEY1") }
        #expect(source.loads == 2)
        clock.advance(.seconds(30))
        #expect(try provider.credentials().accessKeyID == "KEY1")
        #expect(source.loads == 3)
        clock.advance(.seconds(170))
        #expect(s3Error { _ = try provider.credentials() } == Self.failure)
        source.next.withLock { $0 = { Self.keys($0, until: nil) } }
        #expect(try provider.credentials().accessKeyID == "KEY5")
    }

    @Test("of many callers that need keys one fetches, and all get what it got", arguments: [true, false])
    func shared(succeeds: Bool) throws {
        let isWaiting = DispatchSemaphore(value: 0)
        let source = Source { number in
            isWaiting.wait()
            if !succeeds { throw Self.failure }
            return Self.keys(number, until: nil)
        }
        let clock = TestClock()
        // Each caller reads the clock before it asks for keys; when all have, the fetch may end.
        let readers = Mutex(0)
        var counting = clock.clock
        counting.now = {
            if readers.withLock({ count in
                count += 1
                return count
            }) == 16 {
                isWaiting.signal()
            }
            return clock.now
        }
        let provider = RefreshedCredentials(source, clock: counting)
        let results = Mutex<[String]>([])
        let running = DispatchGroup()
        for _ in 0..<16 {
            running.enter()
            Thread {
                let result = Result { try provider.credentials().accessKeyID }
                results.withLock { $0.append((try? result.get()) ?? "failed") }
                running.leave()
            }.start()
        }
        running.wait()
        #expect(results.withLock { $0 } == Array(repeating: succeeds ? "KEY1" : "failed", count: 16))
        #expect(source.loads == 1)
    }

    @Test("keys that are refused are fetched again, others' refusals change nothing")
    func rejected() throws {
        let source = Source { Self.keys($0, until: nil) }
        let provider = RefreshedCredentials(source)
        let first = try provider.credentials()
        provider.reject(first)
        provider.reject(first)
        #expect(try provider.credentials().accessKeyID == "KEY2")
        provider.reject(first)
        #expect(try provider.credentials().accessKeyID == "KEY2")
        #expect(source.loads == 2)
    }

    @Test("no source at all is an error that says where to put keys")
    func nothing() {
        let provider = RefreshedCredentials(Source { _ in nil })
        let error = s3Error { _ = try provider.credentials() }
        #expect(error?.code == .noCredentials)
        #expect(error?.mend.contains("AWS_ACCESS_KEY_ID") == true)
    }
}
