import AuditFormats
import Testing

@Suite struct LeftOutTests {
    private let settings = PostgresDecoderSettings.make {
        $0.excludedRoles = ["loader", "o\"neil"]
        $0.excludedApplications = ["auditlake"]
    }

    private func record(user: String? = "postgres", application: String? = "psql") -> LogRecord {
        LogRecord(user: user, applicationName: application)
    }

    @Test func recordsOfNamedRolesAndApplicationsAreCounted() throws {
        let records = [
            record(user: "loader"), record(user: "o\"neil"), record(application: "auditlake"),
            record(user: "Loader"),
            record(user: "loader2"), record(application: "auditlak"), record(user: nil, application: nil),
            record(user: "auditlake", application: "loader"),
        ]
        let decoded = try decode(records, settings: settings)
        #expect(decoded.rows.count == 5)
        #expect(decoded.leftOut.exclude == 3)
        #expect(decoded.leftOut.count == 3)
        let json = try decodeJSON(records.map(\.json), settings: settings)
        #expect(json.rows.count == 5 && json.leftOut == decoded.leftOut)
    }

    @Test(arguments: ["authentication", "startup"])
    func failedLoginIsNeverLeftOut(_ tag: String) throws {
        var login = LogRecord.error("28P01", "password authentication failed")
        (login.user, login.applicationName, login.commandTag) = ("loader", "auditlake", tag)
        login.severity = "FATAL"
        var query = login
        query.commandTag = "SELECT"
        let decoded = try decode([login, query], settings: settings)
        #expect(decoded.rows.map { $0["command_tag"] } == ["CONNECT"])
        #expect(decoded.leftOut.exclude == 1)
    }

    @Test func recordsBeforeTheStartAreCounted() throws {
        let start = try row(of: LogRecord()).eventTime
        let settings = PostgresDecoderSettings.make {
            $0.startTime = start
            $0.excludedRoles = ["postgres"]
            $0.keepsAuditEventsOnly = true
        }
        let early = LogRecord(time: "2026-11-21 07:22:00.544 +01")
        let kept = LogRecord.audit(AuditMessage())
        var other = kept
        other.user = "alice"
        let decoded = try decode([early, kept, other, record(user: "alice")], settings: settings)
        #expect(decoded.rows.map { $0["user_name"] } == ["alice"])
        #expect(decoded.leftOut.start == 1)
        #expect(decoded.leftOut.exclude == 1)
        #expect(decoded.leftOut.keep == 1)
    }
}
