import NIOHTTP1

/// The role of a container: ECS, and EKS with pod identity.
package struct ContainerCredentials: CredentialsSource {
    private let context: CredentialsContext

    /// Creates the source.
    package init(_ context: CredentialsContext) { self.context = context }

    package func load() throws -> S3Credentials? {
        let relative = context.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        guard
            let url = relative.map({ "http://169.254.170.2\($0)" })
                ?? context.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        else { return nil }
        var headers: HTTPHeaders = ["Accept": "application/json"]
        if let file = context.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            headers.add(name: "Authorization", value: try SecretFile.read(file))
        } else if let token = context.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            headers.add(name: "Authorization", value: token)
        }
        guard let request = WebRequest(.GET, url: url, headers: headers), Self.mayBeAsked(request.origin)
        else {
            throw S3Error.noCredentials(
                "only https, this machine and the addresses of ECS and EKS are asked for credentials",
                at: url
            )
        }
        let call = CredentialsCall(context: context, limits: context.nearLimits, place: request.origin)
        let response = try call.send(request)
        guard response.isSuccess else { throw call.error(response) }
        return try CredentialsDocument.credentials(response.body, from: request.origin)
    }

    /// A token goes with the request: it must not travel a network in the clear.
    private static func mayBeAsked(_ origin: String) -> Bool {
        if origin.hasPrefix("https://") { return true }
        let host = origin.dropFirst("http://".count)
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" }
        let isLoopback = name.hasPrefix("127.") && name.allSatisfy { $0.isNumber || $0 == "." }
        return isLoopback
            || ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(name)
    }
}

/// The role of a machine at EC2, by version 2 of its metadata service.
package struct InstanceCredentials: CredentialsSource {
    private let context: CredentialsContext

    /// Creates the source.
    package init(_ context: CredentialsContext) { self.context = context }

    package func load() throws -> S3Credentials? {
        guard context.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
        let named = context.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")
        let endpoint =
            named.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } ?? "http://169.254.169.254"
        let call = CredentialsCall(context: context, limits: context.nearLimits, place: endpoint)
        guard let token = try token(endpoint, call, isExpected: named != nil) else { return nil }
        let roles = "\(endpoint)/latest/meta-data/iam/security-credentials/"
        guard let names = try read(roles, token, call) else { return nil }
        let name = String(decoding: names, as: UTF8.self).split(whereSeparator: \.isNewline).first
        guard let name else { return nil }
        guard let document = try read("\(roles)\(name)", token, call) else {
            throw S3Error.noCredentials("the machine's role \(name) has vanished", at: endpoint)
        }
        return try CredentialsDocument.credentials(document, from: endpoint)
    }

    /// A token for further requests; nil when this is no machine at EC2.
    private func token(_ endpoint: String, _ call: CredentialsCall, isExpected: Bool) throws -> String? {
        let headers: HTTPHeaders = ["X-aws-ec2-metadata-token-ttl-seconds": "300", "Content-Length": "0"]
        guard let request = WebRequest(.PUT, url: "\(endpoint)/latest/api/token", headers: headers) else {
            throw S3Error.noCredentials("AWS_EC2_METADATA_SERVICE_ENDPOINT is no address", at: endpoint)
        }
        let response: WebResponse
        do {
            response = try call.send(request)
        } catch let error as S3Error where !isExpected && [.timeout, .unreachable].contains(error.code) {
            return nil
        }
        guard response.isSuccess else { throw call.error(response) }
        return String(decoding: response.body, as: UTF8.self)
    }

    private func read(_ url: String, _ token: String, _ call: CredentialsCall) throws -> [UInt8]? {
        guard let request = WebRequest(.GET, url: url, headers: ["X-aws-ec2-metadata-token": token]) else {
            return nil
        }
        let response = try call.send(request)
        if response.status == 404 { return nil }
        guard response.isSuccess else { throw call.error(response) }
        return response.body
    }
}
