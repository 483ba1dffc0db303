/// How the engine reaches the objects of one bucket.
package struct QueryBucket: Sendable {
    /// The bucket's name or alias, as URLs have it behind `s3://`.
    package var name: String
    /// `https://host` or `http://host:port`; nil for AWS's own.
    package var endpoint: String?
    /// The region that requests are signed for.
    package var region: String
    /// Whether the bucket stands in the path instead of the host name.
    package var isPathStyle: Bool
    /// The access key's name.
    package var keyID: String
    /// The access key's secret.
    package var secret: String
    /// Goes with temporary keys.
    package var sessionToken: String?

    package init(
        name: String,
        endpoint: String?,
        region: String,
        isPathStyle: Bool,
        keyID: String,
        secret: String,
        sessionToken: String?
    ) {
        self.name = name
        self.endpoint = endpoint
        self.region = region
        self.isPathStyle = isPathStyle
        self.keyID = keyID
        self.secret = secret
        self.sessionToken = sessionToken
    }

    /// The statement that gives the engine the keys; no other statement can read them back.
    var statement: String {
        var options = [
            "TYPE s3", "PROVIDER config", "KEY_ID \(SQLQuoting.string(keyID))",
            "SECRET \(SQLQuoting.string(secret))", "REGION \(SQLQuoting.string(region))",
            "URL_STYLE \(isPathStyle ? "'path'" : "'vhost'")", "SCOPE \(SQLQuoting.string("s3://\(name)"))",
        ]
        if let sessionToken { options.append("SESSION_TOKEN \(SQLQuoting.string(sessionToken))") }
        if let endpoint {
            let isPlain = endpoint.hasPrefix("http://")
            let host = endpoint.dropFirst(isPlain ? "http://".count : "https://".count)
            options.append("ENDPOINT \(SQLQuoting.string(String(host)))")
            options.append("USE_SSL \(!isPlain)")
        }
        return "CREATE SECRET (\(options.joined(separator: ", ")));"
    }
}

extension QueryBucket: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The bucket's URL; no key.
    package var description: String { "s3://\(name)" }
    /// The bucket's URL; no key.
    package var debugDescription: String { description }
    /// The bucket's URL; no key.
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
