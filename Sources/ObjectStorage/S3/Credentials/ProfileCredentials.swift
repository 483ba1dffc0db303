/// Keys of a profile, or of a role that a profile names.
package struct ProfileCredentials: CredentialsSource {
    private let context: CredentialsContext
    private let named: String?

    /// Creates the source.
    ///
    /// - Parameters:
    ///   - context: What all sources share.
    ///   - profile: A profile that must be there; nil for that of the variable `AWS_PROFILE`, else `default`.
    package init(_ context: CredentialsContext, profile: String? = nil) {
        self.context = context
        named = profile ?? context.variable("AWS_PROFILE")
    }

    package func load() throws -> S3Credentials? {
        let files = try ProfileFiles(context)
        guard files[named ?? "default"] != nil else {
            guard let named else { return nil }
            throw S3Error.noCredentials("there is no such profile", at: "profile \(named)")
        }
        let found = try ProfileWalk(context: context, files: files).credentials(named ?? "default", seen: [])
        if found == nil, let named {
            throw S3Error.noCredentials("it names neither keys nor a role", at: "profile \(named)")
        }
        return found
    }
}

extension ProfileFiles {
    /// Reads the files that the variables name, or those at home; one that is not there is empty.
    ///
    /// - Throws: `S3Error` with code `noCredentials` for a file that cannot be read.
    package init(_ context: CredentialsContext) throws {
        let home = context.variable("HOME").map { "\($0)/.aws" }
        let config = context.variable("AWS_CONFIG_FILE") ?? home.map { "\($0)/config" }
        let credentials = context.variable("AWS_SHARED_CREDENTIALS_FILE") ?? home.map { "\($0)/credentials" }
        self.init(config: try Self.text(config), credentials: try Self.text(credentials))
    }

    private static func text(_ path: String?) throws -> String {
        guard let path else { return "" }
        do {
            return String(decoding: try PosixFileSystem().read(path), as: UTF8.self)
        } catch let error as StorageError where error.code == .notFound {
            return ""
        } catch let error as StorageError {
            throw S3Error.noCredentials(error.description, at: path)
        }
    }
}

extension CredentialsContext {
    /// The region that variables or the profile name, as AWS's own tools find it; nil when none does.
    ///
    /// - Throws: `S3Error` with code `noCredentials` for a profile file that cannot be read.
    package func configuredRegion(profile: String? = nil) throws -> String? {
        if let region = variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION") { return region }
        return try ProfileFiles(self)[profile ?? variable("AWS_PROFILE") ?? "default"]?["region"]
    }
}

/// Follows a profile to the keys at its end.
private struct ProfileWalk {
    let context: CredentialsContext
    let files: ProfileFiles

    /// Keys of a profile; nil when it has none.
    func credentials(_ name: String, seen: Set<String>) throws -> S3Credentials? {
        guard let profile = files[name] else { throw error("there is no such profile", name) }
        guard let arn = profile["role_arn"], !seen.contains(name) else { return try keys(name, profile) }
        guard profile["mfa_serial"] == nil else {
            throw error("its role wants a code that a person types (mfa_serial)", name)
        }
        let role = SecurityTokenService.Role(
            arn: arn,
            sessionName: profile["role_session_name"],
            externalID: profile["external_id"],
            duration: profile["duration_seconds"]
        )
        if let file = profile["web_identity_token_file"] {
            return try WebIdentityCredentials(context, role: role, tokenFile: file).load()
        }
        guard let source = try source(name, profile, seen: seen) else {
            throw error("there are no credentials to take on its role with", name)
        }
        return try SecurityTokenService(context).assume(role, with: source)
    }

    /// What a role is taken on with.
    private func source(
        _ name: String,
        _ profile: [String: String],
        seen: Set<String>
    ) throws -> S3Credentials? {
        switch (profile["source_profile"], profile["credential_source"]) {
        case (let source?, nil):
            // A profile may be its own source, for its keys; longer circles lead nowhere.
            guard source == name || !seen.contains(source) else {
                throw error("its source_profile leads back to itself", name)
            }
            return try credentials(source, seen: seen.union([name]))
        case (nil, "Environment"): return try EnvironmentCredentials(context).load()
        case (nil, "EcsContainer"): return try ContainerCredentials(context).load()
        case (nil, "Ec2InstanceMetadata"): return try InstanceCredentials(context).load()
        default: throw error("it needs one of source_profile and credential_source", name)
        }
    }

    private func keys(_ name: String, _ profile: [String: String]) throws -> S3Credentials? {
        switch (profile["aws_access_key_id"], profile["aws_secret_access_key"]) {
        case (let id?, let secret?):
            return S3Credentials(
                accessKeyID: id,
                secretAccessKey: secret,
                sessionToken: profile["aws_session_token"]
            )
        case (nil, nil): break
        default:
            throw error("it has one of aws_access_key_id and aws_secret_access_key without the other", name)
        }
        if let command = profile["credential_process"] {
            return try CredentialsProcess.run(command, profile: name)
        }
        if profile.keys.contains(where: { $0.hasPrefix("sso_") }) {
            throw error(
                "it signs in by a browser; let another profile have credential_process = "
                    + "aws configure export-credentials --profile \(name)",
                name
            )
        }
        return nil
    }

    private func error(_ message: String, _ name: String) -> S3Error {
        .noCredentials(message, at: "profile \(name)")
    }
}
