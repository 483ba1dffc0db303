import Synchronization

/// A place that credentials can be fetched from.
package protocol CredentialsSource: Sendable {
    /// Fetches credentials; nil when this place is not set up. Blocks.
    ///
    /// - Throws: `S3Error` when the place is set up but gives none.
    func load() throws -> S3Credentials?
}

/// Credentials that are fetched again before they end.
///
/// Of callers that need new ones at the same time, one fetches and the others wait. While the old ones are valid nobody
/// waits: one caller fetches, the others go on with the old ones, and so do all when the fetch fails.
package final class RefreshedCredentials: CredentialsProvider {
    private struct State {
        var current: S3Credentials?
        /// Whether a service refused the current ones.
        var isRejected = false
        /// Why the last fetch failed, nil when it did not.
        var failure: S3Error?
        /// Fetches that have ended.
        var rounds = 0
        /// Credentials that are still valid are not fetched again before this time.
        var pause = Int64.min

        func usable(_ now: Int64) -> S3Credentials? {
            guard !isRejected, let current, (current.expiration ?? .max) > now else { return nil }
            return current
        }
    }

    /// Credentials are fetched again this long before they end: EC2 has new ones five minutes before, at the latest.
    private static let margin: Int64 = 300_000_000
    /// The time between two fetches while there are valid ones.
    private static let pause: Int64 = 30_000_000

    private let source: any CredentialsSource
    private let clock: StoreClock
    private let state = Mutex(State())
    /// Held while credentials are fetched.
    private let fetching = Mutex(())

    /// Creates a provider; nothing is fetched yet.
    package init(_ source: any CredentialsSource, clock: StoreClock = .system) {
        self.source = source
        self.clock = clock
    }

    package func credentials() throws -> S3Credentials {
        let before = state.withLock { $0 }
        let now = clock.now()
        guard let current = before.usable(now) else { return try wait(since: before.rounds) }
        if let end = current.expiration, end - now <= Self.margin, now >= before.pause {
            fetching.withLockIfAvailable { _ in
                // Another caller may just have fetched them.
                if state.withLock({ $0.rounds }) == before.rounds { fetch() }
            }
        }
        return state.withLock { $0.usable(now) } ?? current
    }

    package func reject(_ credentials: S3Credentials) {
        state.withLock { state in
            if state.current == credentials { state.isRejected = true }
        }
    }

    /// Fetches credentials, unless that has been done since the given round.
    private func wait(since round: Int) throws -> S3Credentials {
        try fetching.withLock { _ in
            if state.withLock({ $0.rounds }) == round { fetch() }
            let now = clock.now()
            let after = state.withLock { $0 }
            if let current = after.usable(now) { return current }
            throw after.failure ?? .noCredentials("the credentials that were found have ended already")
        }
    }

    /// Fetches credentials and notes what came of it.
    private func fetch() {
        let result = Result { () throws(S3Error) -> S3Credentials in
            do {
                if let found = try source.load() { return found }
            } catch let error as S3Error {
                throw error
            } catch {
                throw .noCredentials(String(describing: error))
            }
            throw .noCredentials("neither the environment nor a profile nor the machine has any")
        }
        let pause = clock.now() + Self.pause
        state.withLock { state in
            state.rounds += 1
            state.pause = pause
            switch result {
            case .success(let found):
                state.current = found
                state.isRejected = false
                state.failure = nil
            case .failure(let error): state.failure = error
            }
        }
    }
}

extension S3Error {
    /// There are no credentials.
    static func noCredentials(_ message: String, at place: String = "S3") -> S3Error {
        S3Error(.noCredentials, "find credentials for", place, message: message)
    }
}
