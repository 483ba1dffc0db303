import Glibc

extension StorageError {
    /// Says what an error of object storage means to callers who know files.
    package init(_ error: S3Error) {
        let code: Code =
            switch error.code {
            case .notFound: .notFound
            // A person can mend it for this one object, and others may be had.
            case .accessDenied, .keyUnusable, .keyWanted, .archived: .permissionDenied
            case .credentialsRefused: .other(EKEYREJECTED)
            case .noCredentials: .other(ENOKEY)
            case .preconditionFailed: .other(ESTALE)
            case .tooLarge: .other(EFBIG)
            case .invalidSettings, .wrongRegion, .rangeNotSatisfiable: .other(EINVAL)
            // Passes, and says nothing of the one object.
            case .throttled, .timeout, .unreachable, .connectionBroken, .serverFailed: .other(EAGAIN)
            case .clockSkew, .invalidAnswer, .refused: .other(EPROTO)
            }
        self.init(code: code, operation: error.operation, path: error.path)
        // Without what differs from one request to the next, so that equal errors are told once.
        detail = error.serviceCode.map { "\(error.message) (\($0))" } ?? error.message
        advice = error.mend
    }

    /// Runs `body` and says its errors of object storage in the terms of files.
    package static func translating<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as S3Error {
            throw StorageError(error)
        }
    }
}
