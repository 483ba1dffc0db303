import NIOCore
import NIOHTTP1

/// AWS's service that gives temporary credentials for a role.
struct SecurityTokenService {
    private let context: CredentialsContext
    private let region: String
    private let origin: String
    private let call: CredentialsCall

    /// Creates a client of the region's service, or of the one that a variable names.
    init(_ context: CredentialsContext) {
        self.context = context
        region = context.variable("AWS_REGION") ?? context.variable("AWS_DEFAULT_REGION") ?? context.region
        let endpoint = context.variable("AWS_ENDPOINT_URL_STS") ?? context.variable("AWS_ENDPOINT_URL")
        origin =
            endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
            ?? "https://sts.\(region).\(S3Endpoint.suffix(region))"
        call = CredentialsCall(context: context, limits: context.farLimits, place: origin)
    }

    /// A role, and how it is taken on.
    struct Role: Hashable {
        var arn: String
        var sessionName: String?
        var externalID: String?
        /// In seconds.
        var duration: String?
    }

    /// Takes on a role with other credentials.
    func assume(_ role: Role, with credentials: S3Credentials) throws -> S3Credentials {
        try fetch("AssumeRole", role, [], signedWith: credentials)
    }

    /// Takes on a role with a token of another identity provider.
    func assume(_ role: Role, webIdentityToken token: String) throws -> S3Credentials {
        try fetch("AssumeRoleWithWebIdentity", role, [.init("WebIdentityToken", token)], signedWith: nil)
    }

    private func fetch(
        _ action: String,
        _ role: Role,
        _ more: [WebRequest.QueryItem],
        signedWith credentials: S3Credentials?
    ) throws -> S3Credentials {
        var form: [WebRequest.QueryItem] = [
            .init("Action", action), .init("Version", "2011-06-15"), .init("RoleArn", role.arn),
            .init("RoleSessionName", role.sessionName ?? "auditlake-\(context.clock.now() / 1_000)"),
        ]
        form += more
        if let id = role.externalID { form.append(.init("ExternalId", id)) }
        if let duration = role.duration { form.append(.init("DurationSeconds", duration)) }
        let body = RequestSigner.canonicalQuery(form)
        var request = WebRequest(
            .POST,
            origin: origin,
            path: "/",
            headers: ["Content-Type": "application/x-www-form-urlencoded; charset=utf-8"],
            body: ByteBuffer(string: body)
        )
        if let credentials {
            RequestSigner(credentials: credentials, region: region, service: "sts")
                .sign(&request, payloadHash: PayloadHash.sha256(Array(body.utf8)), now: context.clock.now())
        }
        let response = try call.send(request)
        guard response.isSuccess else { throw call.error(response) }
        let keys = (try? XMLTree(parsing: response.body))?.first("\(action)Result")?.first("Credentials")
        guard let keys, let id = keys.text("AccessKeyId"), let secret = keys.text("SecretAccessKey"),
            let token = keys.text("SessionToken"),
            let end = keys.text("Expiration").flatMap({ UTCTime.microseconds(iso8601: $0) })
        else { throw S3Error.noCredentials("the answer has no credentials", at: origin) }
        return S3Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: token, expiration: end)
    }
}

/// A role for a token in a file, as Kubernetes gives it to a pod.
package struct WebIdentityCredentials: CredentialsSource {
    private let context: CredentialsContext
    private let role: SecurityTokenService.Role?
    private let tokenFile: String?

    /// Creates the source from variables.
    package init(_ context: CredentialsContext) {
        self.context = context
        tokenFile = context.variable("AWS_WEB_IDENTITY_TOKEN_FILE")
        role = context.variable("AWS_ROLE_ARN").map {
            .init(arn: $0, sessionName: context.variable("AWS_ROLE_SESSION_NAME"))
        }
    }

    /// Creates the source of a profile.
    init(_ context: CredentialsContext, role: SecurityTokenService.Role, tokenFile: String) {
        self.context = context
        self.role = role
        self.tokenFile = tokenFile
    }

    package func load() throws -> S3Credentials? {
        guard let tokenFile else { return nil }
        guard let role else {
            throw S3Error.noCredentials("AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN")
        }
        let token = try SecretFile.read(tokenFile)
        return try SecurityTokenService(context).assume(role, webIdentityToken: token)
    }
}

/// A file with one secret.
enum SecretFile {
    /// The text of a file, without white space at its ends.
    static func read(_ path: String) throws -> String {
        do {
            let text = String(decoding: try PosixFileSystem().read(path), as: UTF8.self)
            return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        } catch let error as StorageError {
            throw S3Error.noCredentials(error.description, at: path)
        }
    }
}
