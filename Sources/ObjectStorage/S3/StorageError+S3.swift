import Glibc

extension StorageError {
    /// Says what an error of object storage means to callers who know files only; its words are lost.
    package init(_ error: S3Error) {
        let code: Code =
            switch error.code {
            case .notFound: .notFound
            case .accessDenied, .credentialsRefused, .noCredentials: .permissionDenied
            case .preconditionFailed: .other(ESTALE)
            case .tooLarge: .other(EFBIG)
            case .invalidSettings, .wrongRegion, .rangeNotSatisfiable: .other(EINVAL)
            case .throttled, .timeout, .unreachable, .connectionBroken, .serverFailed, .clockSkew,
                .invalidAnswer, .refused:
                .other(EIO)
            }
        self.init(code: code, operation: error.operation, path: error.path)
    }
}
