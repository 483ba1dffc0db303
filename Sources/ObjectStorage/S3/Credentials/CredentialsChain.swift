/// What all sources of credentials share.
package struct CredentialsContext: Sendable {
    /// Environment variables.
    package var environment: [String: String]
    /// The region of the security token service, unless a variable names one.
    package var region: String
    /// The time.
    package var clock: StoreClock
    /// How long the services of the machine, which are near, may take.
    package var nearLimits: WebLimits
    /// How long the security token service may take.
    package var farLimits: WebLimits

    /// Creates a context.
    package init(
        environment: [String: String],
        region: String,
        clock: StoreClock = .system,
        nearLimits: WebLimits = WebLimits(
            connect: .seconds(1),
            idle: .seconds(5),
            total: .seconds(10),
            connections: 1
        ),
        farLimits: WebLimits = WebLimits(idle: .seconds(15), total: .seconds(30), connections: 1)
    ) {
        self.environment = environment
        self.region = region
        self.clock = clock
        self.nearLimits = nearLimits
        self.farLimits = farLimits
    }

    /// A variable that is set and not empty.
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
}

/// The places where AWS's own tools look for credentials, in their order.
///
/// They are variables, web identity, profile files, container and machine. The first that is set up decides, also when
/// it fails.
package struct CredentialsChain: CredentialsSource {
    private let sources: [any CredentialsSource]

    /// Creates the chain.
    package init(_ context: CredentialsContext) {
        sources = [
            EnvironmentCredentials(context), WebIdentityCredentials(context), ProfileCredentials(context),
            ContainerCredentials(context), InstanceCredentials(context),
        ]
    }

    package func load() throws -> S3Credentials? {
        for source in sources {
            if let found = try source.load() { return found }
        }
        return nil
    }
}

/// Keys in variables.
package struct EnvironmentCredentials: CredentialsSource {
    private let context: CredentialsContext

    /// Creates the source.
    package init(_ context: CredentialsContext) { self.context = context }

    package func load() throws -> S3Credentials? {
        let names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        switch (context.variable(names.0), context.variable(names.1)) {
        case (nil, nil): return nil
        case (let id?, let secret?):
            return S3Credentials(
                accessKeyID: id,
                secretAccessKey: secret,
                sessionToken: context.variable("AWS_SESSION_TOKEN")
            )
        default:
            throw S3Error.noCredentials("one of \(names.0) and \(names.1) is set without the other")
        }
    }
}
