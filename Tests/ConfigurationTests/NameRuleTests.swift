import Testing

@testable import Configuration

@Suite struct NameRuleTests {
    @Test(arguments: [
        "logs", "a.b.c", "a.", ".b", "a-b.c", "a.1b", "a b.c", "_auditlake.x", "pg_catalog.x", "ä.x",
    ])
    func aTableOutsideTheRuleIsRefused(name: String) {
        let found = faults(yaml().replacing("audit.logs", with: "\"\(name)\""))
        #expect(found.map(\.code) == [.invalidValue])
        #expect(found.first?.message.contains(name) == true)
    }

    @Test(arguments: ["pg_archive_sync.primary_postgresql_logs_uat", "A._b9", "main.main"])
    func aTableInsideTheRuleIsTaken(name: String) throws {
        #expect(try pipeline(yaml().replacing("audit.logs", with: name)).table.description == name)
    }

    @Test(arguments: ["_auditlake", "_AuditLake", "temp", "system", "a.b", "a-b", "9a", "\"\""])
    func aReservedOrUnsafeCatalogIsRefused(name: String) {
        #expect(faults(yaml(top: "lake: .\ncatalog: \(name)")).map(\.code) == [.invalidValue])
    }

    @Test(arguments: ["names", "a-b", "a.b", "1a"])
    func aPipelineNameThatCannotBeAFolderOrATableIsRefused(name: String) {
        let found = faults(yaml().replacing("pg1:", with: "\(name):"))
        #expect(found.map(\.code) == [.invalidValue])
        #expect(found.first?.line == 3)
    }

    @Test func pipelineNamesThatDifferInLetterCaseOnlyAreRefused() {
        let entry = "{kind: postgres, source: {files: /x}, role: r, table: s.t}"
        let found = faults("lake: .\npipelines:\n  pg: \(entry)\n  PG: \(entry)")
        #expect(found.map(\.message) == ["the pipeline name “PG” differs from “pg” in letter case only"])
    }

    @Test func aNameOfTheLongestLengthIsTakenAndOneMoreIsNot() {
        #expect(Identifier.isValid(String(repeating: "a", count: 128)))
        #expect(!Identifier.isValid(String(repeating: "a", count: 129)))
        #expect(!Identifier.isValid(""))
    }

    @Test(arguments: [
        "UTC", "GMT", "Europe/Berlin", "US/Pacific", "Etc/UTC", "Asia/Kolkata", "America/Argentina/Salta",
    ])
    func anIANAZoneIsTaken(zone: String) throws {
        #expect(try pipeline(yaml(pipeline: "timezone: \(zone)")).timeZone?.value == zone)
    }

    @Test(arguments: ["IST", "Mars/Olympus", "+02:00", "PDT", "/"])
    func anAbbreviationOrAnUnknownZoneIsRefused(zone: String) {
        #expect(faults(yaml(pipeline: "timezone: \"\(zone)\"")).map(\.code) == [.invalidValue])
    }

    @Test(arguments: [
        ("1", 1), ("64MB", 64_000_000), ("1GiB", 1 << 30), ("512 kB", 512_000), ("2KiB", 2048), ("7b", 7),
        ("3tib", 3 << 40),
    ])
    func sizesAreRead(text: String, byteCount: Int) { #expect(ByteSize.parse(text) == byteCount) }

    @Test(arguments: [
        "", "0", "-1", "1.5GB", "MB", "64XB", "99999999999999999999", "9999999999TB", "٣MB", "1 0",
    ])
    func whatIsNoSizeIsRefused(text: String) { #expect(ByteSize.parse(text) == nil) }

    @Test(arguments: ["on", "yes", "true", "On", "\"on\""])
    func switchesAreReadOn(text: String) throws {
        #expect(try pipeline(yaml(pipeline: "redact: \(text)")).redact)
    }

    @Test(arguments: ["off", "no", "false", "OFF", "'off'"])
    func switchesAreReadOff(text: String) throws {
        #expect(try !pipeline(yaml(pipeline: "redact: \(text)")).redact)
    }
}
