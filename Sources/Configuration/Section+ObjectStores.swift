import Yams

extension Section {
    /// The buckets of which the file says something, in file order.
    func objectStores(_ key: String) -> [ObjectStoreConfiguration] {
        guard let node = node(key), let pairs = Section.pairs(of: node, name: path(key), context: context)
        else { return [] }
        return pairs.compactMap { pair in
            guard S3URL.isBucket(pair.key.value) else {
                context.report(
                    .invalidValue,
                    at: pair.key.position,
                    "“\(pair.key.value)” is no bucket",
                    mend: "write a bucket's name, or the alias or ARN of an access point"
                )
                return nil
            }
            return ObjectStoreConfiguration(pair.value, bucket: pair.key.value, context: context)
        }
    }
}

extension ObjectStoreConfiguration {
    private static let keys = [
        "endpoint", "region", "path_style", "profile", "access_key_id", "secret_access_key", "session_token",
        "encryption", "kms_key_id", "timeout",
    ]

    private enum EncryptionName: String, CaseIterable {
        case bucketDefault = "default"
        case s3
        case kms
    }

    fileprivate init?(_ node: Node, bucket: String, context: ReadingContext) {
        let name = "object_stores.\(bucket)"
        guard let section = Section(node, name: name, keys: Self.keys, context: context) else { return nil }
        self.bucket = bucket
        endpoint = section.endpoint("endpoint")
        region = section.text("region")
        isPathStyle = section.node("path_style").map { _ in section.flag("path_style", default: false) }
        credentials = section.credentials()
        switch section.choice("encryption", default: EncryptionName.bucketDefault) {
        case .bucketDefault: encryption = .bucketDefault
        case .s3: encryption = .s3
        case .kms: encryption = .kms(keyID: section.text("kms_key_id"))
        }
        if case .kms = encryption {
        } else if let node = section.node("kms_key_id") {
            section.refuse(
                node,
                "\(name).kms_key_id stands without encryption: kms",
                mend: "add encryption: kms, or take the key out"
            )
        }
        timeout = section.duration("timeout", default: Self.standardTimeout)
    }
}

extension Section {
    /// A server's URL without a path.
    fileprivate func endpoint(_ key: String) -> Setting<String>? {
        guard let node = node(key), let text = context.text(node, of: path(key)) else { return nil }
        var url = text.value
        if url.hasSuffix("/") { url.removeLast() }
        let host = ["https://", "http://"].first { url.hasPrefix($0) }.map { url.dropFirst($0.count) }
        guard let host, !host.isEmpty, !host.contains("/"), !host.contains("@") else {
            refuse(
                node,
                "\(path(key)) “\(text)” is no server",
                mend: "write https://host, or http://host:port, without user and path"
            )
            return nil
        }
        return text.map { _ in url }
    }

    fileprivate func credentials() -> ObjectStoreConfiguration.Credentials {
        let (id, secret) = (text("access_key_id"), text("secret_access_key"))
        if let profile = text("profile") {
            if let node = node("access_key_id") ?? node("secret_access_key") {
                refuse(
                    node,
                    "\(name) has a profile and keys",
                    mend: "keep one of them: profile, or access_key_id with secret_access_key"
                )
            }
            return .profile(profile)
        }
        switch (id, secret) {
        case (nil, nil): break
        case (let id?, let secret?): return .keys(id: id, secret: secret, sessionToken: text("session_token"))
        default:
            let present = node("access_key_id") ?? node("secret_access_key")
            if let present {
                refuse(
                    present,
                    "\(name) has one of access_key_id and secret_access_key",
                    mend: "write both, the secret as ${NAME}; or none, and the environment is asked"
                )
            }
        }
        if let node = node("session_token") {
            refuse(
                node,
                "\(path("session_token")) stands without keys",
                mend: "write access_key_id and secret_access_key too"
            )
        }
        return .environment
    }
}
