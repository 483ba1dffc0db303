/// Makes calls to a service of AWS until they have an answer or may not be repeated.
struct ServiceCalls: Sendable {
    /// What came of an attempt.
    enum Outcome {
        /// An answer to the request that was signed with these keys.
        case answer(WebResponse, S3Credentials)
        /// No whole answer.
        case lost(WebFailure)
    }

    /// What is made of it.
    enum Verdict {
        /// The answer is the caller's.
        case done
        /// What it complained of is mended: once more, at once.
        case again
        /// The attempt has failed; it is repeated when that can help.
        case failed(S3Error)
    }

    let transport: WebTransport
    let credentials: any CredentialsProvider
    let clock: StoreClock
    let retries: RetryPolicy
    /// Hears of each failed attempt that may be made again, and of each that has no answer yet when it should.
    var bell: FailureBell?

    /// What is called, for those who hear that there is no answer yet.
    struct Subject: Sendable {
        var operation: String
        var path: String
        /// Bytes that go there or come from there.
        var byteCount: Int
    }

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - subject: What is called; nil when nobody is to hear of silence.
    ///   - memory: Gets the body of a success; it must not be longer.
    ///   - signed: Gives the request, signed as of now.
    ///   - judge: Says what is made of an attempt.
    /// - Returns: The answer that is done with.
    /// - Throws: `S3Error`.
    func answer(
        about subject: Subject? = nil,
        into memory: UnsafeMutableRawBufferPointer? = nil,
        to signed: (S3Credentials) -> WebRequest,
        _ judge: (Outcome) -> Verdict
    ) throws -> WebResponse {
        var attempts = Attempts(retries, clock)
        while true {
            let error: S3Error
            do {
                try transport.demandPatience()
                let (response, keys) = try watching(subject) {
                    let keys = try credentials.credentials()
                    return (try transport.send(signed(keys), into: memory), keys)
                }
                switch judge(.answer(response, keys)) {
                case .done: return response
                case .again: continue
                case .failed(let reason): error = reason
                }
            } catch let failure as WebFailure {
                guard case .failed(let reason) = judge(.lost(failure)) else { continue }
                error = reason
            } catch let failure as S3Error {
                error = failure
            }
            if error.isRetryable { bell?.ring(StorageError(error)) }
            guard error.isRetryable, attempts.waitForNext(unless: { transport.hasGivenUp }) else {
                throw error
            }
        }
    }

    private func watching<Result>(_ subject: Subject?, _ attempt: () throws -> Result) rethrows -> Result {
        guard let bell, let subject else { return try attempt() }
        let ring = { @Sendable in
            let error = S3Error(.timeout, subject.operation, subject.path, message: "no answer yet")
            bell.ring(StorageError(error))
        }
        return try transport.watching(byteCount: subject.byteCount, alarm: ring, attempt)
    }
}

/// The attempts of one call.
struct Attempts {
    private let policy: RetryPolicy
    private let clock: StoreClock
    private let start: Int64
    private var failures = 0

    /// None was made.
    init(_ policy: RetryPolicy, _ clock: StoreClock) {
        self.policy = policy
        self.clock = clock
        start = clock.now()
    }

    /// Waits as long as is due after one more that has failed, unless that is called off; false, at once, when none may follow.
    mutating func waitForNext(unless isCalledOff: () -> Bool = { false }) -> Bool {
        failures += 1
        let elapsed = Duration.microseconds(clock.now() - start)
        guard !isCalledOff(), policy.allows(after: failures, elapsed: elapsed) else { return false }
        clock.wait(policy.delay(after: failures, random: clock.random()), isCalledOff)
        return true
    }
}
