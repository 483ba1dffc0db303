import Foundation
import Testing

@testable import Configuration

@Suite struct SecretTests {
    static let secret = "hunter2!"

    @Test func aVariableIsReplacedAndItsValueNeverShown() throws {
        let text = yaml().replacing("primary", with: "pre-${ROLE}-post")
        let configuration = try parse(text, environment: ["ROLE": Self.secret])
        let role = try pipeline(text, environment: ["ROLE": Self.secret]).role
        #expect(role.value == "pre-hunter2!-post")
        #expect(role.isSecret)
        #expect("\(role)" == "***")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(configuration)".contains("hunter2"))
        #expect(!String(reflecting: configuration).contains("hunter2"))
        #expect("\(configuration)".contains("audit.logs"), "what stands in the file may be shown")
    }

    @Test(arguments: ["lake", "catalog", "role", "node", "table", "files"])
    func everyTextTakesAVariable(key: String) throws {
        let values = [
            "lake": "/data", "catalog": "prod", "role": "r", "node": "n", "table": "s.t", "files": "/f",
        ].merging([key: "${VALUE}"]) { $1 }
        let text = """
            lake: \(values["lake"] ?? "")
            catalog: \(values["catalog"] ?? "")
            pipelines:
              p:
                kind: postgres
                source: {files: "\(values["files"] ?? "")"}
                role: \(values["role"] ?? "")
                node: \(values["node"] ?? "")
                table: \(values["table"] ?? "")
            """
        let configuration = try parse(
            text,
            environment: ["VALUE": "topsecret.value".filter { key == "table" || $0 != "." }]
        )
        #expect("\(configuration)".contains("***"))
        #expect(!"\(configuration)".contains("topsecret"))
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("topsecret"))
    }

    @Test func aSecretFileIsReadWithoutItsLastNewline() throws {
        try withTemporaryFolder { folder in
            try Data("line\n\(Self.secret)\r\n".utf8).write(to: folder.appending(path: "secret"))
            try Data([0xFF, 0xFE]).write(to: folder.appending(path: "binary"))
            let expander = VariableExpander(environment: [:], folder: folder.path)
            let expected = Setting("line\n\(Self.secret)", isSecret: true)
            #expect(try expander.expand("${file:\(folder.path)/secret}") == expected)
            #expect(
                try expander.expand("${file:secret}") == expected,
                "a relative one counts from the folder"
            )
            #expect(throws: VariableFault.self) { try expander.expand("${file:binary}") }
            let fault = #expect(throws: VariableFault.self) { try expander.expand("${file:none}") }
            #expect(fault?.message == "the secret file \(folder.path)/none cannot be read")
        }
    }

    @Test(arguments: [
        ("$${A}", "${A}", false), ("$5 and $", "$5 and $", false), ("${A}$${A}${A}", "v${A}v", true),
        ("", "", false),
        ("${EMPTY}", "", true), ("${NESTED}", "${A}", true), ("a$$b", "a$$b", false),
    ])
    func expansionFollowsItsRules(text: String, value: String, isSecret: Bool) throws {
        let expander = VariableExpander(environment: ["A": "v", "EMPTY": "", "NESTED": "${A}"], folder: "/")
        #expect(try expander.expand(text) == Setting(value, isSecret: isSecret))
    }

    @Test(arguments: [
        ("${PG_ROL}", "the variable PG_ROL is not set", "did you mean “PG_ROLE”? export PG_ROL=…"),
        ("${XYZZY_NOTHING}", "the variable XYZZY_NOTHING is not set", "export XYZZY_NOTHING=…"),
        ("${A", "“${” has no closing “}”", "write ${NAME}"),
        ("${a b}", "“${a b}” is not a variable", "write ${NAME}"),
        ("${}", "“${}” is not a variable", "write ${NAME}"),
    ])
    func aVariableWithoutValueNamesPlaceAndNearestName(text: String, message: String, mend: String) throws {
        let found = faults(
            yaml().replacing("primary", with: "\"\(text)\""),
            environment: ["PG_ROLE": Self.secret]
        )
        let fault = try #require(found.first)
        #expect(found.count == 1)
        #expect(fault.code == .unresolvedVariable)
        #expect(fault.message == "pipelines.pg1.role: \(message)")
        #expect(fault.mend.hasPrefix(mend))
        #expect([fault.line, fault.column] == [6, 11])
    }

    @Test(arguments: [
        ("lake: ./lake", "lake: \"${S}\"", "gs://hunter2!"),
        ("lake: ./lake", "lake: .\ncatalog: ${S}", "hunter2!"),
        ("audit.logs", "${S}", "hunter2!"), ("audit.logs", "${S}", "a.hunter2!"),
        ("audit.logs", "${S}", "a.b.hunter2!"),
        ("audit.logs", "_auditlake.${S}", "hunter2"), ("/logs/*.csv", "\"${S}\"", "s3://hunter2!"),
        ("kind: postgres", "kind: ${S}", "hunter2!"), ("primary", "r\n    keep: ${S}", "auditt"),
        ("primary", "r\n    redact: ${S}", "hunter2!"), ("primary", "r\n    batch_bytes: ${S}", "hunter2!"),
        ("primary", "r\n    timezone: ${S}", "Europe/Berln"), ("primary", "${S}", ""),
        ("kind: postgres", "kind: ${S}", "customer_csf"),
    ])
    func noFaultShowsTheValueOfAVariable(old: String, new: String, value: String) {
        let found = faults(yaml().replacing(old, with: new), environment: ["S": value])
        #expect(found.count == 1)
        for fault in found {
            #expect(!fault.description.contains("hunter2") && !fault.description.contains("customer_csf"))
            #expect(!fault.mend.contains("did you mean"), "the nearest name would give the value away")
        }
    }

    @Test func aSyntaxErrorDoesNotShowTheFile() {
        for text in ["password: hunter2\n\tx", "a: hunter2\na: hunter2", "a: 'hunter2"] {
            #expect(faults(text).map(\.code) == [.syntax])
            #expect(faults(text).allSatisfy { !$0.description.contains("hunter2") })
        }
    }
}
