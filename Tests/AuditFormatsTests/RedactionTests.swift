import AuditFormats
import Testing

@Suite struct RedactionTests {
    private static let secret = "s3cr3t"

    /// Expects `***` in place of the secret and nothing else changed, and no trace of the secret in any column.
    private func expectBlanked(
        _ record: LogRecord,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> Row {
        let row = try row(of: record, location)
        let blanked = record.text.split(separator: Self.secret, omittingEmptySubsequences: false)
        #expect(blanked.count > 1, "the record has a secret", sourceLocation: location)
        #expect(row["raw"] == blanked.joined(separator: "***"), sourceLocation: location)
        for (name, text) in row.texts.merging(row.extra, uniquingKeysWith: { $1 }) {
            #expect(!text.contains(Self.secret), "\(name)", sourceLocation: location)
        }
        let open = try self.row(of: record, redacting: false)
        #expect(row["statement"] == open["statement"], sourceLocation: location)
        #expect(row.extra["fingerprint"] == open.extra["fingerprint"], sourceLocation: location)
        #expect(Set(row.extra.keys) == Set(open.extra.keys), sourceLocation: location)
        return row
    }

    private func row(
        of record: LogRecord,
        redacting: Bool = true,
        _ location: SourceLocation = #_sourceLocation
    )
        throws -> Row
    {
        let settings = PostgresDecoderSettings.make { $0.redactsSecrets = redacting }
        return try AuditFormatsTests.row(of: record, settings: settings, location)
    }

    @Test func secretOfAnAuditedStatementIsBlanked() throws {
        let row = try expectBlanked(
            .audit(
                AuditMessage(
                    auditClass: "ROLE",
                    command: "ALTER ROLE",
                    statement: "alter role \"a,b\" password 's3cr3t' valid until '2030-01-01'"
                )
            )
        )
        #expect(row["statement"] == "alter role \"a,b\" password $1 valid until $2")
        #expect(row["audit_class"] == "ROLE")
    }

    @Test func secretOfAQueryIsBlanked() throws {
        let query = "alter role \"x\" password 's3cr3t'"
        let row = try expectBlanked(.error("42501", "permission denied", query: query))
        #expect(row["statement"] == "alter role \"x\" password $1")
        #expect(row.extra["parsed_class"] == "ROLE")
    }

    @Test func secretOfALoggedStatementIsBlanked() throws {
        let statement = "create user \"u\" with password 's3cr3t' in role r"
        for message in ["statement: \(statement)", "duration: 2.5 ms  execute <unnamed>: \(statement)"] {
            let row = try expectBlanked(LogRecord(message: message))
            #expect(row["statement"] == "create user \"u\" with password $1 in role r")
        }
    }

    @Test(arguments: [
        "create user \"u\" identified by \"s3cr3t\"", "select 1 as \"postgresql://u:s3cr3t@host/db\"",
        "drop table \"postgresql://u:s3cr3t@host/db\"",
    ])
    func secretThatIsNoLiteralIsInNoColumn(_ query: String) throws {
        let decoded = try decode([.error("42P01", "it failed", query: query)])
        let row = try #require(decoded.rows.first)
        #expect(row["statement"]?.contains("***") == true)
        let texts = Array(row.texts.values) + Array(row.extra.values)
        #expect(texts.allSatisfy { !$0.contains("s3cr3t") })
    }

    @Test func secretThatTheMessageRepeatsIsBlankedThere() throws {
        let query = "alter role x passwor 's3cr3t'"
        let row = try expectBlanked(.error("42601", "syntax error at or near \"s3cr3t\"", query: query))
        #expect(row.extra["message"] == "syntax error at or near \"***\"")
    }

    @Test func secretOfAnUnterminatedStringIsBlankedInTheMessage() throws {
        let message = "unterminated quoted string at or near \"'s3cr3t\""
        let row = try expectBlanked(.error("42601", message, query: "alter role x password 's3cr3t"))
        #expect(row.extra["message"] == "unterminated quoted string at or near \"'***\"")
    }

    @Test(arguments: [
        #"syntax error at or near ""s3cr3t""",,,,,,"alter role a password s3cr3t"#,
        #""unterminated quoted string at or near ""'s3cr3t""",,,,,,"alter role alice pas"#,
        #"do $$ declare password text := 's3cr3t'"#,
        #"password 'x's3cr3t'y'"#,
        #"{"message":"m","statement":"alter role a password \"'s3cr3t\""#,
    ])
    func whatFollowsASecretsNameInAPieceIsBlanked(piece: String) throws {
        let decoded = try decode(Array("2026 torn \(piece)\n".utf8) + file([LogRecord()]))
        #expect(decoded.faults.count == 1)
        #expect(decoded.faults.allSatisfy { !$0.raw.contains("s3cr3t") && $0.raw.contains("torn") })
    }

    @Test func secretOfADamagedLineIsBlankedHoweverTheLineArrives() throws {
        let line = "2026-11-21 06:22:00.545 UTC,\"x\"y,alter role a password 's3cr3t'"
        let sound = LogRecord(lineNumber: 1).text
        var decoder = PostgresDecoder(settings: .make())
        let file = Array("\(line)\n\(sound)\n".utf8)
        var from = 0
        for to in [line.utf8.count - 10, line.utf8.count + 1, file.count] {
            from += try file[from..<to].withUnsafeBytes {
                try decoder.decode($0, baseOffset: UInt64(from), source: "pg.csv").consumed
            }
        }
        #expect(from == file.count)
        #expect(decoder.rows.count == 1)
        #expect(decoder.quarantine.count == 1)
        let column = decoder.quarantine.finish().columns[5]
        let raw = String(decoding: column.buffers[column.buffers.count - 1].bytes, as: UTF8.self)
        #expect(raw.contains("password ***"))
        #expect(!raw.contains("s3cr"))
    }

    @Test func secretsOfProseAreBlanked() throws {
        let uri = "connecting to \"postgresql://u:s3cr3t@host/db\" failed"
        var record = LogRecord(message: uri)
        record.detail = "Failed process was running: alter role x password 's3cr3t';"
        record.hint = "try \"password=s3cr3t\""
        record.context = "SQL statement \"alter role x password 's3cr3t'\"\nPL/pgSQL function f() line 3"
        record.internalQuery = "alter role x password 's3cr3t'"
        record.applicationName = "app password=s3cr3t"
        let row = try expectBlanked(record)
        #expect(row.extra["message"] == "connecting to \"postgresql://u:***@host/db\" failed")
        #expect(row.extra["detail"] == "Failed process was running: alter role x password '***';")
        #expect(row.extra["application_name"] == "app password=***")
    }

    @Test func secretAmongParametersIsBlankedAtTheThirdLevelOfQuotes() throws {
        let row = try expectBlanked(
            .audit(
                AuditMessage(
                    auditClass: "FUNCTION",
                    command: "EXECUTE",
                    statement: "select dblink($1, $2)",
                    parameter: "\"host=h password=s3cr3t\",\"one, \"\"two\"\"\""
                )
            )
        )
        #expect(row.extra["parameter"] == "\"host=h password=***\",\"one, \"\"two\"\"\"")
    }

    @Test func secretBehindDoubledQuotesIsFoundAtItsPlace() throws {
        let statement =
            "alter role \"q\"\"u\"\"o\"\"t\"\"e\" /* \"\"\"\" */ password 's3cr3t' connection limit 3"
        for record in [
            LogRecord.audit(AuditMessage(auditClass: "ROLE", command: "ALTER ROLE", statement: statement)),
            .error("42501", "denied", query: statement), LogRecord(message: "statement: " + statement),
        ] {
            _ = try expectBlanked(record)
        }
    }

    @Test func secretWithQuotesInItIsBlankedWhole() throws {
        let record = LogRecord.error("42501", "denied", query: "alter role x password 'a\"b\"\"c' nologin")
        let row = try row(of: record)
        #expect(row["raw"]?.contains(",\"alter role x password '***' nologin\",") == true)
        #expect(row["statement"] == "alter role x password $1 nologin")
    }

    @Test func severalSecretsOfOneRecordAreBlanked() throws {
        var record = LogRecord.error(
            "42501",
            "m password=s3cr3t",
            query: "alter role x password 's3cr3t'; create role y password 's3cr3t'"
        )
        record.detail = "uri postgres://a:s3cr3t@h"
        let row = try expectBlanked(record)
        #expect(row["raw"]?.split(separator: "***", omittingEmptySubsequences: false).count == 5)
    }

    @Test func secretOfDamageIsBlanked() throws {
        let bytes = Array("torn alter role x password 's3cr3t', done\n".utf8) + file([LogRecord()])
        let decoded = try decode(bytes)
        #expect(decoded.faults.map(\.raw) == ["torn alter role x password ***\n"])
        #expect(decoded.faults[0].range.count == "torn alter role x password 's3cr3t', done\n".utf8.count)
    }

    @Test func recordWithoutSecretIsUntouched() throws {
        let record = LogRecord.error("42P01", "x", query: "select password from users where passw = $1")
        #expect(try row(of: record)["raw"] == record.text)
    }

    @Test func nothingIsBlankedWhenRedactionIsOff() throws {
        let record = LogRecord.error("42501", "denied", query: "alter role x password 's3cr3t'")
        #expect(try row(of: record, redacting: false)["raw"] == record.text)
    }
}
