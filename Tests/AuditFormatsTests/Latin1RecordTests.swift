import AuditFormats
import Testing

@Suite struct Latin1RecordTests {
    /// The file with the bytes of `text` in place of the first `@`.
    private func bytes(_ records: [LogRecord], _ replacement: [UInt8]) -> [UInt8] {
        let whole = file(records)
        guard let at = whole.firstIndex(of: UInt8(ascii: "@")) else { return whole }
        return whole[..<at] + replacement + whole[(at + 1)...]
    }

    @Test func bytesThatAreNoUTF8ComeBackExactly() throws {
        let records = [
            LogRecord(user: "Ren@", detail: "say \"x\""), LogRecord(lineNumber: 2, detail: "plain é"),
        ]
        let input = bytes(records, [0xE9])
        let decoded = try decode(input)
        #expect(decoded.rows.map { $0.extra["raw_encoding"] } == ["latin1", nil])
        #expect(decoded.rows[0]["user_name"] == "René")
        #expect(decoded.rows[0].extra["detail"] == "say \"x\"")
        #expect(decoded.rows[1].extra["detail"] == "plain é")
        #expect(decoded.rows.flatMap { $0.rawBytes + [UInt8(ascii: "\n")] } == input)
    }

    @Test(
        arguments: [
            [0xFF], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80, 0x9F],
            [0xE2, 0x82],
        ] as [[UInt8]]
    )
    func everyIllFormedSequenceIsLatin1(_ sequence: [UInt8]) throws {
        let input = bytes([.audit(AuditMessage(statement: "select 1 as \"@\", 'a,b'"))], sequence)
        let row = try decode(input).onlyRow()
        #expect(row.extra["raw_encoding"] == "latin1")
        #expect(row.rawBytes + [UInt8(ascii: "\n")] == input)
        let name = String(String.UnicodeScalarView(sequence.map { Unicode.Scalar($0) }))
        #expect(row["statement"] == "select $1 as \"\(name)\", $2")
    }

    @Test func damageThatIsNoUTF8ComesBackExactly() throws {
        let input = Array("torn ".utf8) + [0xE9, 0xFF] + Array(" record\n".utf8) + file([LogRecord()])
        let decoded = try decode(input)
        #expect(decoded.faults.map(\.rawEncoding) == ["latin1"])
        #expect(coverageFault(of: decoded, over: input) == nil)
        #expect(decoded.rows.count == 1)
    }

    @Test func impossibleTimeOfARecordThatIsNoUTF8ComesBackExactly() throws {
        let input = bytes([LogRecord(time: "2026-02-30 00:00:00.000 UTC", user: "Ren@")], [0xE9])
        let decoded = try decode(input)
        #expect(decoded.faults.map(\.rawEncoding) == ["latin1"])
        #expect(coverageFault(of: decoded, over: input) == nil)
    }

    @Test func secretOfARecordThatIsNoUTF8IsBlanked() throws {
        var record = LogRecord.error("42501", "denied", query: "alter role \"@\" password 's3cr3t'")
        record.detail = "d"
        let row = try decode(bytes([record], [0xE9])).onlyRow()
        #expect(row["raw"]?.contains("s3cr3t") == false)
        #expect(row["raw"]?.contains("alter role \"\"é\"\" password '***'") == true)
        #expect(row["statement"] == "alter role \"é\" password $1")
    }
}
