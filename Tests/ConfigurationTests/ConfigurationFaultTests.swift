import Testing

@testable import Configuration

/// A file with one fault, and how the fault must show.
struct FaultCase: Sendable, CustomTestStringConvertible {
    var text: String
    var code: ConfigurationFault.Code
    var line: Int
    var column: Int
    var message: String
    var mend: String

    var testDescription: String { message }
}

@Suite struct ConfigurationFaultTests {
    @Test(arguments: [
        FaultCase(
            text: yaml(top: "lake: ./lake\ncatalogue: x"),
            code: .unknownKey,
            line: 2,
            column: 1,
            message: "unknown key “catalogue” in the file",
            mend: "did you mean “catalog”?"
        ),
        FaultCase(
            text: yaml(pipeline: "tabel: x.y"),
            code: .unknownKey,
            line: 8,
            column: 5,
            message: "unknown key “tabel” in pipelines.pg1",
            mend: "did you mean “table”?"
        ),
        FaultCase(
            text: yaml().replacing("{files:", with: "{files: x, file:"),
            code: .unknownKey,
            line: 5,
            column: 24,
            message: "unknown key “file” in pipelines.pg1.source",
            mend: "did you mean “files”?"
        ),
        FaultCase(
            text: yaml(top: "lake: .\nspool: {max: 3}"),
            code: .unknownKey,
            line: 2,
            column: 9,
            message: "unknown key “max” in spool",
            mend: "expected one of: folder, max_bytes, disk_floor"
        ),
        FaultCase(
            text: yaml(top: "lake: .\nspool: never"),
            code: .wrongType,
            line: 2,
            column: 8,
            message: "spool is “never”, not a switch",
            mend: "write on or off"
        ),
        FaultCase(
            text: yaml(top: "lake: .\nspool:\n  folder: s3://a/b"),
            code: .invalidValue,
            line: 3,
            column: 11,
            message: "spool.folder “s3://a/b” is no folder of this machine",
            mend: "write folder: ./spool"
        ),
        FaultCase(
            text: yaml(top: "lake: .\nspool: {disk_floor: much}"),
            code: .invalidValue,
            line: 2,
            column: 21,
            message: "spool.disk_floor cannot be “much”",
            mend: "write a size such as 64MB (millions), 1GiB (2^30) or plain bytes, above zero"
        ),
        FaultCase(
            text: yaml(top: "lake: .\nlimits: {cpu: 3}"),
            code: .unknownKey,
            line: 2,
            column: 10,
            message: "unknown key “cpu” in limits",
            mend: "expected one of: memory"
        ),
        FaultCase(
            text: yaml(top: "lake:"),
            code: .missingKey,
            line: 1,
            column: 6,
            message: "lake is missing",
            mend: "add lake: ./lake"
        ),
        FaultCase(
            text: yaml().replacing("role: primary", with: "keep: all"),
            code: .missingKey,
            line: 4,
            column: 5,
            message: "pipelines.pg1.role is missing",
            mend: "add role: primary"
        ),
        FaultCase(
            text: yaml().replacing("table: audit.logs", with: "keep: all"),
            code: .missingKey,
            line: 4,
            column: 5,
            message: "pipelines.pg1.table is missing",
            mend: "add table: audit.postgresql_logs"
        ),
        FaultCase(
            text: yaml().replacing("kind: postgres", with: "keep: all"),
            code: .missingKey,
            line: 4,
            column: 5,
            message: "pipelines.pg1.kind is missing",
            mend: "add kind: postgres"
        ),
        FaultCase(
            text: yaml().replacing("role: primary", with: "role: [a, b]"),
            code: .wrongType,
            line: 6,
            column: 11,
            message: "pipelines.pg1.role is a list",
            mend: "write one text here"
        ),
        FaultCase(
            text: yaml().replacing("role: primary", with: "role: {a: b}"),
            code: .wrongType,
            line: 6,
            column: 11,
            message: "pipelines.pg1.role is a mapping",
            mend: "write one text here"
        ),
        FaultCase(
            text: yaml().replacing("{files: /logs/*.csv}", with: "/logs"),
            code: .wrongType,
            line: 5,
            column: 13,
            message: "pipelines.pg1.source is not a mapping",
            mend: "write keys below it, indented: key: value"
        ),
        FaultCase(
            text: yaml().replacing("/logs/*.csv", with: "[]"),
            code: .invalidValue,
            line: 5,
            column: 21,
            message: "pipelines.pg1.source.files is empty",
            mend: "write files: \"/var/log/postgresql/*.csv\""
        ),
        FaultCase(
            text: yaml(pipeline: "redact: maybe"),
            code: .wrongType,
            line: 8,
            column: 13,
            message: "pipelines.pg1.redact is “maybe”, not a switch",
            mend: "write on or off"
        ),
        FaultCase(
            text: yaml(pipeline: "statement: normalised"),
            code: .invalidValue,
            line: 8,
            column: 16,
            message: "pipelines.pg1.statement cannot be “normalised”",
            mend: "did you mean “normalized”?"
        ),
        FaultCase(
            text: yaml(pipeline: "batch_bytes: 3 apples"),
            code: .invalidValue,
            line: 8,
            column: 18,
            message: "pipelines.pg1.batch_bytes cannot be “3 apples”",
            mend: "write a size such as 64MB (millions), 1GiB (2^30) or plain bytes, above zero"
        ),
        FaultCase(
            text: yaml(pipeline: "timezone: Europe/Berln"),
            code: .invalidValue,
            line: 8,
            column: 15,
            message: "pipelines.pg1.timezone “Europe/Berln” is not an IANA time zone",
            mend: "did you mean “Europe/Berlin”?"
        ),
        FaultCase(
            text: yaml(top: "lake: gs://x"),
            code: .invalidValue,
            line: 1,
            column: 7,
            message: "lake “gs://x” is no place for a lake",
            mend: "write a folder or s3://bucket/name"
        ),
        FaultCase(
            text: yaml().replacing("kind: postgres", with: "kind: postgress"),
            code: .invalidValue,
            line: 4,
            column: 11,
            message: "pipelines.pg1.kind cannot be “postgress”",
            mend: "did you mean “postgres”?"
        ),
        FaultCase(
            text: yaml().replacing("/logs/*.csv", with: "s3://bucket/x"),
            code: .invalidValue,
            line: 5,
            column: 21,
            message: "pipelines.pg1.source.files “s3://bucket/x” is a URL",
            mend: "name files of this machine"
        ),
        FaultCase(
            text: yaml(pipeline: "commit_every: 0s"),
            code: .invalidValue,
            line: 8,
            column: 19,
            message: "pipelines.pg1.commit_every cannot be “0s”",
            mend: "write a time such as 500ms, 1s, 10m, 12h or 7d, above zero"
        ),
        FaultCase(
            text: yaml(pipeline: "start: yesterday"),
            code: .invalidValue,
            line: 8,
            column: 12,
            message: "pipelines.pg1.start cannot be “yesterday”",
            mend: "write earliest, latest or a time such as 2026-11-21 10:00:00+01:00"
        ),
        FaultCase(
            text: "lake: .\n? [a]\n: b",
            code: .wrongType,
            line: 2,
            column: 3,
            message: "a key is not a text",
            mend: "write key: value"
        ),
        FaultCase(
            text: "lake: .\nlake: x",
            code: .syntax,
            line: 1,
            column: 1,
            message: "a mapping has the key “lake” twice",
            mend: "keep one of them"
        ),
        FaultCase(
            text: "lake: .\n\t- x",
            code: .syntax,
            line: 2,
            column: 1,
            message: "the file is not YAML: found a tab character that violates indentation",
            mend: "check indentation and quotes"
        ),
    ])
    func aFaultNamesPlaceReasonAndMend(expected: FaultCase) throws {
        let faults = faults(expected.text)
        let fault = try #require(faults.first)
        #expect(faults.count == 1, "\(faults)")
        #expect(fault.code == expected.code)
        #expect(fault.path == "/etc/auditlake/auditlake.yaml")
        #expect([fault.line, fault.column] == [expected.line, expected.column])
        #expect(fault.message == expected.message)
        #expect(fault.mend == expected.mend)
    }

    @Test(arguments: ["jobs: {n: {tasks: []}}"])
    func aLaterSectionIsRefusedPlainly(section: String) throws {
        let fault = try #require(faults(yaml(top: "lake: .\n\(section)")).first)
        #expect(fault.code == .notInThisRelease)
        #expect(fault.message == "\(section.prefix { $0 != ":" }) is not in this release")
        #expect(fault.line == 2)
    }

    @Test func bronzeIsRefusedOnlyWhenOn() throws {
        #expect(faults(yaml(pipeline: "bronze: true")).map(\.code) == [.notInThisRelease])
        #expect(faults(yaml(pipeline: "bronze: off")).isEmpty)
    }

    @Test func allFaultsOfAFileShowTogetherInTheOrderOfItsLines() throws {
        let text = """
            lke: ./lake
            catalog: _auditlake
            pipelines:
              a: {kind: postgres, source: {files: /x}, table: nodot, keep: some}
              b: {kind: customer_csv}
            jobs: {x: y}
            """
        let error = #expect(throws: InvalidConfiguration.self) { try parse(text) }
        let faults = try #require(error?.faults)
        let places = faults.map { "\($0.line ?? 0) \($0.code)" }
        #expect(
            places == [
                "1 unknownKey", "1 missingKey", "2 invalidValue", "4 missingKey", "4 invalidValue",
                "4 invalidValue",
                "5 missingKey", "5 missingKey", "6 notInThisRelease",
            ]
        )
        #expect(error?.description == faults.map(\.description).joined(separator: "\n"))
        #expect(
            faults.first?.description
                == "/etc/auditlake/auditlake.yaml:1:1: unknown key “lke” in the file\n    did you mean “lake”?"
        )
    }

    @Test func aFaultOfAPipelineThatIsReadForItsKindAndItsKeysShowsOnce() {
        let found = faults(yaml(pipeline: "<<: 3"))
        #expect(found.map(\.message) == ["<< is not a mapping"])
        #expect(found.map(\.line) == [8])
    }
}
