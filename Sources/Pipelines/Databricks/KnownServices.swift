import AuditFormats
import BatchProtocol
import FoundationEssentials

/// The services that a shard has seen, as its state keeps them: each under a name of its own, so that a plan carries only
/// those that changed.
struct KnownServices {
    private static let prefix = "service/"

    private struct Stored: Codable {
        /// Its place among the services, in order of first sight.
        var ordinal: Int
        var schema: ServiceSchema
    }

    /// In order of first sight.
    private(set) var services: [ServiceSchema]

    /// Reads the state after a batch.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    init(_ state: ShardState) throws {
        var stored: [Stored] = []
        for (key, value) in state.values where key.hasPrefix(Self.prefix) {
            guard let service = try? JSONDecoder().decode(Stored.self, from: Data(value.utf8)) else {
                throw PipelineError(
                    code: .damagedState,
                    message:
                        "what is known of the service \(key.dropFirst(Self.prefix.count)) cannot be read",
                    mend: "restore the lake's _auditlake folder from a backup"
                )
            }
            stored.append(service)
        }
        services = stored.sorted { $0.ordinal < $1.ordinal }.map(\.schema)
    }

    /// What a batch adds, for its plan.
    ///
    /// - Parameter grown: The services after the batch.
    func changes(to grown: [ServiceSchema]) throws -> [StateChange] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try grown.enumerated().compactMap { ordinal, schema in
            if ordinal < services.count, services[ordinal] == schema { return nil }
            let value = try encoder.encode(Stored(ordinal: ordinal, schema: schema))
            return StateChange(
                key: Self.prefix + schema.service,
                value: String(decoding: value, as: UTF8.self)
            )
        }
    }
}
