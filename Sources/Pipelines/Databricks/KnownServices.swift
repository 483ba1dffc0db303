import AuditFormats
import BatchProtocol
import Columnar
import FoundationEssentials
import JSONText

/// The services that a shard has seen, as its state keeps them: each under a name of its own, so that a plan carries only
/// those that changed.
struct KnownServices {
    private static let prefix = "service/"

    fileprivate struct Stored: Encodable {
        /// Its place among the services, in order of first sight.
        var ordinal: Int
        var schema: ServiceSchema
        /// When the service was first seen, in microseconds since 1970-01-01 UTC.
        var firstSeen: Int64
        /// The same of each key.
        var keysFirstSeen: [Int64]
    }

    /// The services that a batch has changed, as they are after it.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    fileprivate static func stored(in plan: BatchPlan) throws -> [Stored] {
        try (plan.stateChanges ?? []).filter { $0.key.hasPrefix(prefix) }
            .compactMap { change in try change.value.map { try read($0, of: change.key) } }
            .sorted { $0.ordinal < $1.ordinal }
    }

    /// Reads what is stored of one service.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    private static func read(_ value: String, of key: String) throws -> Stored {
        let name = key.dropFirst(prefix.count)
        let service: Stored
        do {
            service = try JSONReader.read(value.utf8) { try Stored(&$0) }
        } catch {
            throw damage("what is known of the service “\(name)” cannot be read: \(error)")
        }
        guard service.schema.service == name, service.keysFirstSeen.count == service.schema.keys.count else {
            throw damage("what is known of the service “\(name)” does not fit together")
        }
        return service
    }

    private static func damage(_ message: String) -> PipelineError {
        PipelineError(
            code: .damagedState,
            message: message,
            mend: "restore the lake's _auditlake folder from a backup"
        )
    }

    /// In order of first sight.
    var services: [ServiceSchema] { stored.map(\.schema) }
    private let stored: [Stored]

    /// Reads the state after a batch.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    init(_ state: ShardState) throws {
        stored = try state.values.filter { $0.key.hasPrefix(Self.prefix) }
            .map { try Self.read($0.value, of: $0.key) }
            .sorted { $0.ordinal < $1.ordinal }
        guard stored.map(\.ordinal).elementsEqual(stored.indices) else {
            throw Self.damage("of the services that are known some are missing, or are there twice")
        }
    }

    /// What a batch adds, for its plan.
    ///
    /// - Parameters:
    ///   - grown: The services after the batch.
    ///   - plannedAt: The batch's time, in microseconds since 1970-01-01 UTC.
    /// - Returns: One change for each service that is new or has new keys.
    /// - Throws: Never in practice: a schema is always JSON.
    func changes(to grown: [ServiceSchema], plannedAt: Int64) throws -> [StateChange] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try grown.enumerated().compactMap { ordinal, schema in
            let known = ordinal < stored.count ? stored[ordinal] : nil
            if known?.schema == schema { return nil }
            var seen = known?.keysFirstSeen ?? []
            seen += Array(repeating: plannedAt, count: schema.keys.count - seen.count)
            let next = Stored(
                ordinal: ordinal,
                schema: schema,
                firstSeen: known?.firstSeen ?? plannedAt,
                keysFirstSeen: seen
            )
            return StateChange(
                key: Self.prefix + schema.service,
                value: String(decoding: try encoder.encode(next), as: UTF8.self)
            )
        }
    }
}

extension KnownServices.Stored {
    init(_ reader: inout JSONReader) throws {
        var ordinal: Int64?
        var schema: ServiceSchema?
        var firstSeen: Int64?
        var keysFirstSeen: [Int64]?
        try reader.object { reader, name in
            switch name {
            case "ordinal": ordinal = try reader.integer()
            case "schema": schema = try ServiceSchema(&reader)
            case "firstSeen": firstSeen = try reader.integer()
            case "keysFirstSeen": keysFirstSeen = try reader.elements { try $0.integer() }
            default: try reader.skip()
            }
        }
        self.init(
            ordinal: Int(try ordinal.member("ordinal")),
            schema: try schema.member("schema"),
            firstSeen: try firstSeen.member("firstSeen"),
            keysFirstSeen: try keysFirstSeen.member("keysFirstSeen")
        )
    }
}

extension ServiceSchema {
    fileprivate init(_ reader: inout JSONReader) throws {
        var service: String?
        var table: String?
        var keys: [Key]?
        var keepsPlaceholder: Bool?
        try reader.object { reader, name in
            switch name {
            case "service": service = try reader.string()
            case "table": table = try reader.string()
            case "keys": keys = try reader.elements { try Key(&$0) }
            case "keepsPlaceholder": keepsPlaceholder = try reader.boolean()
            default: try reader.skip()
            }
        }
        self.init(
            service: try service.member("service"),
            table: try table.member("table"),
            keys: try keys.member("keys"),
            keepsPlaceholder: try keepsPlaceholder.member("keepsPlaceholder")
        )
    }
}

extension ServiceSchema.Key {
    fileprivate init(_ reader: inout JSONReader) throws {
        let texts = try reader.members { try $0.string() }
        self.init(key: try texts["key"].member("key"), column: try texts["column"].member("column"))
    }
}

/// Each service's keys and when they were first seen: `_auditlake.service_schemas`.
struct ServicesProjection: PlanProjection {
    let table = "service_schemas"
    let columns: [ColumnField] = [
        ColumnField("pipeline", .string, isNullable: false),
        ColumnField("service", .string, isNullable: false),
        ColumnField("table", .string, isNullable: false),
        ColumnField("key", .string),
        ColumnField("column", .string),
        ColumnField("first_seen", .timestamp, isNullable: false),
    ]

    /// A row for each service, without a key, and one for each of its keys, in the batch that brought them.
    func rows(of plan: BatchPlan) throws -> [[CellValue]]? {
        var rows: [(service: ServiceSchema, key: ServiceSchema.Key?)] = []
        for stored in try KnownServices.stored(in: plan) {
            if stored.firstSeen == plan.plannedAt { rows.append((stored.schema, nil)) }
            for (key, seen) in zip(stored.schema.keys, stored.keysFirstSeen) where seen == plan.plannedAt {
                rows.append((stored.schema, key))
            }
        }
        guard !rows.isEmpty else { return nil }
        return [
            rows.map { _ in .string(plan.pipeline) },
            rows.map { .string($0.service.service) },
            rows.map { .string($0.service.table) },
            rows.map { $0.key.map { .string($0.key) } ?? .null },
            rows.map { $0.key.map { .string($0.column) } ?? .null },
            rows.map { _ in .int64(plan.plannedAt) },
        ]
    }
}
