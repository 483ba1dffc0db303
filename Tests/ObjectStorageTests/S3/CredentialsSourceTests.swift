import Foundation
import NIOHTTP1
import ObjectStorage
import Synchronization
import Testing

/// Each place that credentials come from, by servers that play the service.
@Suite final class CredentialsSourceTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("credentials-\(RandomName.make())").path

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func file(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// What the whole chain finds with these variables, and none of the test's own process.
    private func load(
        _ environment: [String: String],
        patience: Duration = .seconds(20)
    ) throws -> S3Credentials? {
        var context = context(environment)
        context.nearLimits = WebLimits(idle: patience)
        return try CredentialsChain(context).load()
    }

    private func context(_ environment: [String: String]) -> CredentialsContext {
        var variables = ["AWS_EC2_METADATA_DISABLED": "true", "HOME": folder]
        variables.merge(environment) { $1 }
        return CredentialsContext(
            environment: variables,
            region: "eu-central-1",
            clock: TestClock().clock
        )
    }

    /// 2026-01-02T09:04:05Z in microseconds.
    private static let end: Int64 = 1_767_344_645_000_000
    private static let document =
        #"{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-02T09:04:05Z"}"#
    private static let temporary = S3Credentials(
        accessKeyID: "ASIA",
        secretAccessKey: "s",
        sessionToken: "t",
        expiration: end
    )

    private static func tokenAnswer(_ action: String) -> String {
        "<\(action)Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><\(action)Result><Credentials>"
            + "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            + "<Expiration>2026-01-02T09:04:05Z</Expiration></Credentials></\(action)Result></\(action)Response>"
    }

    @Test("nothing set up gives nothing")
    func nothing() throws { #expect(try load([:]) == nil) }

    @Test("variables come first; a half of them is an error")
    func environment() throws {
        _ = try file("credentials", "[default]\naws_access_key_id=X\naws_secret_access_key=y")
        let keys = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": ""]
        #expect(try load(keys) == S3Credentials(accessKeyID: "A", secretAccessKey: "s"))
        #expect(
            try load(keys.merging(["AWS_SESSION_TOKEN": "t"]) { $1 })
                == S3Credentials(accessKeyID: "A", secretAccessKey: "s", sessionToken: "t")
        )
        #expect(s3Error { _ = try load(["AWS_ACCESS_KEY_ID": "A"]) }?.code == .noCredentials)
    }

    @Test(
        "profiles are read from both files, the credentials file wins, comments and other sections are skipped"
    )
    func profiles() throws {
        let config = try file(
            "my-config",
            """
            # a comment
            [default]
            region = eu-central-1
            [profile two]
            aws_access_key_id = FROM_CONFIG
            aws_secret_access_key = c
            s3 =
              aws_access_key_id = nested
            [sso-session four]
            aws_access_key_id = OTHER
            [ profile "three" ]
            aws_access_key_id = THREE ; a comment
            aws_secret_access_key = a#b;c
            aws_session_token = t=1==
            """
        )
        let credentials = try file(
            "my-credentials",
            "[default]\r\naws_access_key_id=D\r\naws_secret_access_key = d\r\n[two]\naws_access_key_id=TWO\n"
        )
        let files = ["AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials]
        #expect(try load(files) == S3Credentials(accessKeyID: "D", secretAccessKey: "d"))
        #expect(
            try load(files.merging(["AWS_PROFILE": "two"]) { $1 })
                == S3Credentials(accessKeyID: "TWO", secretAccessKey: "c")
        )
        #expect(
            try load(files.merging(["AWS_PROFILE": "three"]) { $1 })
                == S3Credentials(accessKeyID: "THREE", secretAccessKey: "a#b;c", sessionToken: "t=1==")
        )
        let error = s3Error { _ = try load(files.merging(["AWS_PROFILE": "four"]) { $1 }) }
        #expect(error?.description == "cannot find credentials for profile four: there is no such profile")
    }

    @Test("a profile that is asked for goes before variables; it names the region when no variable does")
    func namedProfile() throws {
        let config = try file(
            "config",
            "[default]\nregion = eu-west-1\n[profile a]\nregion = eu-west-2\naws_access_key_id=A\naws_secret_access_key=a"
        )
        var variables = [
            "AWS_CONFIG_FILE": config, "AWS_ACCESS_KEY_ID": "X", "AWS_SECRET_ACCESS_KEY": "x",
        ]
        #expect(try ProfileCredentials(context(variables), profile: "a").load()?.accessKeyID == "A")
        #expect(try context(variables).configuredRegion(profile: "a") == "eu-west-2")
        #expect(try context(variables).configuredRegion() == "eu-west-1")
        variables["AWS_PROFILE"] = "a"
        #expect(try context(variables).configuredRegion() == "eu-west-2")
        variables["AWS_DEFAULT_REGION"] = "eu-west-3"
        #expect(try context(variables).configuredRegion() == "eu-west-3")
        variables["AWS_REGION"] = "eu-north-1"
        #expect(try context(variables).configuredRegion(profile: "a") == "eu-north-1")
        #expect(try context([:]).configuredRegion() == nil)
    }

    @Test("profiles are found at home")
    func home() throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/.aws", withIntermediateDirectories: true)
        _ = try file(".aws/credentials", "[default]\naws_access_key_id=H\naws_secret_access_key=h")
        #expect(try load([:])?.accessKeyID == "H")
    }

    @Test("a role is taken on with the keys of its source profile")
    func assumeRole() throws {
        let server = try StandInServer { _ in .answer(200, [:], Self.tokenAnswer("AssumeRole")) }
        let config = try file(
            "config",
            """
            [profile audit]
            role_arn = arn:aws:iam::1:role/audit
            source_profile = base
            external_id = x&y
            role_session_name = me
            duration_seconds = 900
            [profile base]
            aws_access_key_id = BASE
            aws_secret_access_key = b
            """
        )
        let found = try load([
            "AWS_CONFIG_FILE": config, "AWS_PROFILE": "audit", "AWS_ENDPOINT_URL_STS": server.origin,
        ])
        #expect(found == Self.temporary)
        let request = server.requests[0]
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "Action=AssumeRole&DurationSeconds=900&ExternalId=x%26y&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Faudit"
                + "&RoleSessionName=me&Version=2011-06-15"
        )
        let authorization = try #require(request.headers.first(name: "authorization"))
        #expect(authorization.contains("Credential=BASE/20260102/eu-central-1/sts/aws4_request"))
        #expect(request.headers["content-type"] == ["application/x-www-form-urlencoded; charset=utf-8"])
    }

    @Test(
        "a profile that leads nowhere is an error that names it",
        arguments: [
            (
                "role_arn = r\nsource_profile = b\n[profile b]\nrole_arn = s\nsource_profile = a",
                "back to itself"
            ),
            ("role_arn = r\nsource_profile = none", "no such profile"),
            ("role_arn = r", "source_profile and credential_source"),
            ("role_arn = r\ncredential_source = Environment", "no credentials to take on its role"),
            ("role_arn = r\nmfa_serial = m\nsource_profile = b", "mfa_serial"),
            ("sso_session = s", "aws configure export-credentials --profile a"),
            ("aws_access_key_id = A", "without the other"),
            ("region = r", "neither keys nor a role"),
            ("credential_process = exit 3", "status 3"),
            ("credential_process = echo secret", "no JSON"),
        ]
    )
    func leadsNowhere(text: String, words: String) throws {
        let config = try file("config", "[profile a]\n\(text)\n")
        let error = s3Error { _ = try load(["AWS_CONFIG_FILE": config, "AWS_PROFILE": "a"]) }
        #expect(error?.code == .noCredentials)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(error?.description.contains("secret,") != true)
    }

    @Test("a profile may be its own source, and a process may print keys")
    func ownSourceAndProcess() throws {
        let server = try StandInServer { _ in .answer(200, [:], Self.tokenAnswer("AssumeRole")) }
        let printed = try file(
            "printed",
            #"{"Version":1,"AccessKeyId":"P","SecretAccessKey":"p","SessionToken":"t","Expiration":"2026-01-02T09:04:05+00:00"}"#
        )
        let config = try file(
            "config",
            "[profile a]\nrole_arn = r\nsource_profile = a\naws_access_key_id = A\naws_secret_access_key = a\n"
                + "[profile p]\ncredential_process = cat '\(printed)'\n"
        )
        let files = ["AWS_CONFIG_FILE": config, "AWS_ENDPOINT_URL_STS": server.origin]
        #expect(try load(files.merging(["AWS_PROFILE": "a"]) { $1 }) == Self.temporary)
        #expect(
            try load(files.merging(["AWS_PROFILE": "p"]) { $1 })
                == S3Credentials(
                    accessKeyID: "P",
                    secretAccessKey: "p",
                    sessionToken: "t",
                    expiration: Self.end
                )
        )
    }

    @Test("a token of another identity provider is read from its file at each fetch and sent unsigned")
    func webIdentity() throws {
        let server = try StandInServer { _ in .answer(200, [:], Self.tokenAnswer("AssumeRoleWithWebIdentity"))
        }
        let token = try file("token", "a.b+c\n")
        let variables = [
            "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:r", "AWS_ROLE_SESSION_NAME": "pod",
            "AWS_ENDPOINT_URL_STS": server.origin,
        ]
        #expect(try load(variables) == Self.temporary)
        let request = server.requests[0]
        #expect(request.headers["authorization"] == [])
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Ar&RoleSessionName=pod&Version=2011-06-15"
                + "&WebIdentityToken=a.b%2Bc"
        )
        try FileManager.default.removeItem(atPath: token)
        #expect(s3Error { _ = try load(variables) }?.path == token)
    }

    @Test("a refusal of the token service is told in its words; its failures are repeated")
    func tokenServiceRefuses() throws {
        let refusing = try StandInServer { _ in
            .answer(
                403,
                [:],
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not yours</Message></Error></ErrorResponse>"
            )
        }
        let token = try file("token", "x")
        var variables = [
            "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "r",
            "AWS_ENDPOINT_URL_STS": refusing.origin,
        ]
        let error = s3Error { _ = try load(variables) }
        #expect(error?.code == .noCredentials)
        #expect(error?.description.contains("not yours (AccessDenied, status 403)") == true)
        let failures = Mutex(0)
        let failing = try StandInServer { _ in
            failures.withLock { count in
                count += 1
                return count
            } < 3
                ? .answer(503) : .answer(200, [:], Self.tokenAnswer("AssumeRoleWithWebIdentity"))
        }
        variables["AWS_ENDPOINT_URL_STS"] = failing.origin
        #expect(try load(variables) == Self.temporary)
    }

    @Test("a container's service gets its token, from a file at each fetch")
    func container() throws {
        let server = try StandInServer { _ in .answer(200, [:], Self.document) }
        var variables = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(server.origin)/v2/credentials?id=7",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "from-variable",
        ]
        #expect(try load(variables) == Self.temporary)
        variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = try file("token", "from-file\n")
        #expect(try load(variables) == Self.temporary)
        #expect(server.requests.map(\.uri) == ["/v2/credentials?id=7", "/v2/credentials?id=7"])
        #expect(server.requests.flatMap { $0.headers["authorization"] } == ["from-variable", "from-file"])
    }

    @Test(
        "a container's token is not sent over a network in the clear",
        arguments: [
            "http://evil.example/", "http://10.0.0.1/", "http://127.0.0.1.evil.example/", "ftp://localhost/",
            "x",
        ]
    )
    func containerElsewhere(url: String) {
        let error = s3Error { _ = try load(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]) }
        #expect(error?.code == .noCredentials)
    }

    /// The metadata service of a machine, version 2.
    private func machine(role: String?) throws -> StandInServer {
        try StandInServer { request in
            if request.uri == "/latest/api/token" {
                let isAsked = request.headers["x-aws-ec2-metadata-token-ttl-seconds"] != []
                return request.method == .PUT && isAsked ? .answer(200, [:], "T") : .answer(400)
            }
            guard request.headers["x-aws-ec2-metadata-token"] == ["T"] else { return .answer(401) }
            switch request.uri {
            case "/latest/meta-data/iam/security-credentials/":
                return role.map { .answer(200, [:], $0) } ?? .answer(404)
            case "/latest/meta-data/iam/security-credentials/audit": return .answer(200, [:], Self.document)
            default: return .answer(404)
            }
        }
    }

    @Test("a machine's role is read with a token of its session")
    func instance() throws {
        let server = try machine(role: "audit")
        let variables = [
            "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "\(server.origin)/",
        ]
        #expect(try load(variables) == Self.temporary)
        let count = server.requests.count
        #expect(try load(variables.merging(["AWS_EC2_METADATA_DISABLED": "true"]) { $1 }) == nil)
        #expect(server.requests.count == count)
        let plain = try machine(role: nil)
        #expect(
            try load(variables.merging(["AWS_EC2_METADATA_SERVICE_ENDPOINT": plain.origin]) { $1 }) == nil
        )
    }

    @Test("a metadata service that fails or keeps silent is an error after some attempts")
    func failingInstance() throws {
        for (reply, code) in [
            (StandInServer.Reply.silence, S3Error.Code.timeout), (.answer(500), .serverFailed),
        ] {
            let server = try StandInServer { _ in reply }
            let error = s3Error {
                _ = try load(
                    ["AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.origin],
                    patience: code == .timeout ? .milliseconds(200) : .seconds(20)
                )
            }
            #expect(error?.code == code)
            #expect(server.requests.count == 3)
        }
    }

    @Test(
        "documents that are no credentials are errors that quote nothing",
        arguments: [
            "", "secret", "[]", "{}", #"{"Code":"Failed","Message":"no role"}"#, #"{"AccessKeyId":"A"}"#,
            #"{"AccessKeyId":"A","SecretAccessKey":"secret","Expiration":"soon"}"#,
        ]
    )
    func badDocument(text: String) throws {
        let server = try StandInServer { _ in .answer(200, [:], text) }
        let error = s3Error { _ = try load(["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.origin]) }
        #expect(error?.code == .noCredentials)
        #expect(error?.description.contains("secret") == false)
    }
}
