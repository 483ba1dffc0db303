import AuditFormats
import BatchProtocol
import Testing

@testable import Pipelines

/// What a shard knows of services is read whole, or not at all.
@Suite struct KnownServicesTests {
    private static func services() throws -> [String: String] {
        let schemas = ["jobs", "clusters"].map {
            ServiceSchema(service: $0, table: $0, keys: [ServiceSchema.Key(key: "a", column: "a")])
        }
        let changes = try KnownServices(ShardState()).changes(to: schemas, plannedAt: 7)
        return Dictionary(
            uniqueKeysWithValues: changes.compactMap { change in change.value.map { (change.key, $0) } }
        )
    }

    private static func plan(_ values: [String: String]) -> BatchPlan {
        var plan = BatchPlan(
            pipeline: "dbx",
            appID: "id",
            batch: 1,
            plannedAt: 7,
            parserVersion: 2,
            stateSnapshot: 0,
            ranges: [],
            tables: []
        )
        plan.stateChanges = values.map { StateChange(key: $0.key, value: $0.value) }
        return plan
    }

    private func expectDamage(_ named: String, _ body: () throws -> Void) {
        #expect {
            try body()
        } throws: { error in
            guard let error = error as? PipelineError else { return false }
            return error.code == .damagedState && error.message.contains(named)
                && error.mend.contains("_auditlake")
        }
    }

    @Test func whatWasStoredIsKnown() throws {
        let values = try Self.services()
        let known = try KnownServices(ShardState(values: values))
        #expect(known.services.map(\.service) == ["jobs", "clusters"])
        #expect(try known.changes(to: known.services, plannedAt: 8).isEmpty)
        #expect(try ServicesProjection().rows(of: Self.plan(values))?[0].count == 4)
    }

    @Test(arguments: [
        (#""keysFirstSeen":[7]"#, #""keysFirstSeen":[]"#),
        (#""keysFirstSeen":[7]"#, #""keysFirstSeen":[7,8]"#),
        (#""ordinal":1"#, #""ordinal":"1""#), ("{", ""), (#""service":"clusters""#, #""service":"other""#),
    ])
    func aDamagedServiceIsAnErrorThatNamesIt(_ text: String, _ damage: String) throws {
        var values = try Self.services()
        let stored = try #require(values["service/clusters"])
        let index = try #require(stored.firstRange(of: text))
        values["service/clusters"] = stored.replacingCharacters(in: index, with: damage)
        expectDamage("clusters") { _ = try KnownServices(ShardState(values: values)) }
        expectDamage("clusters") { _ = try ServicesProjection().rows(of: Self.plan(values)) }
    }

    @Test func aServiceThatIsMissingIsAnError() throws {
        var values = try Self.services()
        values["service/jobs"] = nil
        expectDamage("missing") { _ = try KnownServices(ShardState(values: values)) }
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
