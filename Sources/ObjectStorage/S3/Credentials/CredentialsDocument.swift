import FoundationEssentials

/// Credentials as JSON: from a container, a machine's metadata, or a process.
struct CredentialsDocument: Decodable {
    private let accessKeyID: String?
    private let secretAccessKey: String?
    private let token: String?
    private let sessionToken: String?
    private let expiration: String?
    private let code: String?
    private let message: String?

    private enum CodingKeys: String, CodingKey {
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case sessionToken = "SessionToken"
        case expiration = "Expiration"
        case code = "Code"
        case message = "Message"
    }

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - bytes: The document.
    ///   - place: Where it comes from, for errors.
    /// - Returns: The credentials.
    /// - Throws: `S3Error` with code `noCredentials`; the document is not quoted, since it may hold secrets.
    static func credentials(_ bytes: [UInt8], from place: String) throws -> S3Credentials {
        guard let document = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else {
            throw S3Error.noCredentials("the answer is no JSON object with credentials", at: place)
        }
        guard let id = document.accessKeyID, let secret = document.secretAccessKey else {
            let words = [document.code, document.message].compactMap { $0 }.joined(separator: ": ")
            throw S3Error.noCredentials(words.isEmpty ? "the answer has no keys" : words, at: place)
        }
        var end: Int64?
        if let text = document.expiration {
            end = UTCTime.microseconds(iso8601: text.hasSuffix("+00:00") ? text.dropLast(6) + "Z" : text)
            if end == nil { throw S3Error.noCredentials("the answer has an end that is no time", at: place) }
        }
        return S3Credentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: document.token ?? document.sessionToken,
            expiration: end
        )
    }
}
