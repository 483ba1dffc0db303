import AuditFormats
import SeededRandom
import Testing

/// What becomes of bytes that are no record, and of the records beside them.
@Suite struct CSVFaultTests {
    private func faults(_ decoded: DecodedCSV) -> [String] {
        decoded.quarantine.map {
            "\($0["reason"] ?? .null) \($0["source_offset"] ?? .null) \($0["raw"] ?? .null)"
        }
    }

    @Test func recordsWithAnotherNumberOfFieldsAreRagged() {
        let decoded = decodeCSV("a,b,c\n1,2,3\n1,2\n1,2,3,4\n\"\"\n4,5,6\n")
        #expect(decoded.column("a") == [.number(1), .number(4)])
        #expect(
            decoded.quarantine.map { $0["detail"] } == [
                .text("3 fields expected, 2 found"), .text("3 fields expected, 4 found"),
                .text("3 fields expected, 1 found"),
            ]
        )
        #expect(
            faults(decoded) == [
                "\"ragged_record\" 12 \"1,2\"", "\"ragged_record\" 16 \"1,2,3,4\"",
                "\"ragged_record\" 24 \"\"\"\"",
            ]
        )
    }

    @Test func recordsThatAreNoUTF8AreKeptAsLatin1() {
        let decoded = decodeCSV([CSVFile(Array("a,b\n1,x\n2,".utf8) + [0xE9, 0x0A] + Array("3,é\n".utf8))])
        #expect(decoded.column("a") == [.number(1), .number(3)])
        #expect(faults(decoded) == ["\"bad_text\" 8 \"2,é\""])
        #expect(decoded.quarantine.first?["raw_encoding"] == .text("latin1"))
    }

    /// A text that begins behind a newline, with the record that it is taken for.
    @Test(arguments: [
        // A quote that is not doubled, alone in its line.
        ("1,\"x \"y\" z\",3", "malformed_field", 1),
        // A quote that is never closed, and what follows has no quotes.
        ("1,\"x,3", "unclosed_quote", 1),
        // A quote that is never closed, and what follows has some.
        ("1,\"x,3\n9,\"y\",9", "malformed_field", 2),
        // The field is closed where another one begins.
        ("1,\"x,3\n\"y\",8,9", "malformed_field", 2),
    ])
    func damageCostsNoneOfItsNeighbours(_ damage: String, _ reason: String, _ lineCount: Int) {
        let text = "a,b,c\n0,0,0\n\(damage)\n5,5,5\n6,6,6\n"
        for window in [text.utf8.count, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] {
            let decoded = decodeCSV([CSVFile(text)], window: window)
            #expect(decoded.reasons == [.text(reason)], "window \(window)")
            let first = damage.split(separator: "\n")[0]
            #expect(decoded.quarantine.first?["raw"] == .text(first + "\n"))
            let saved = lineCount == 2 ? 1 : 0
            #expect(decoded.rows.count == 3 + saved)
            #expect(decoded.rows.suffix(2).map { $0["a"] }.count == 2)
        }
    }

    @Test func recordsThatAreTooLongGoToTheQuarantineInPieces() {
        let long = String(repeating: "x", count: 250)
        let text = "a,b\n1,2\n3,\(long)\n5,6\n7,\"\(String(repeating: "y\n", count: 100))\"\n8,9\n"
        for window in [text.utf8.count, 1, 10, 99, 100, 101, 150] {
            let decoded = decodeCSV([CSVFile(text)], window: window) { $0.maxRecordBytes = 100 }
            #expect(decoded.column("a") == [1, 5, 8].map { .number($0) })
            #expect(decoded.reasons.allSatisfy { $0 == .text("oversized") })
            let pieces = decoded.quarantine.map { $0["length"] }
            #expect(pieces == [100, 100, 53, 100, 100, 5].map { .number($0) })
        }
    }

    @Test func aRecordOfTheGreatestLengthIsARow() {
        for end in ["\n", "\r\n"] {
            for length in [98, 99] {
                let text = "a,b\(end)1,\(String(repeating: "x", count: length))\(end)2,y\(end)"
                let decoded = decodeCSV([CSVFile(text)], window: 13) { $0.maxRecordBytes = 100 }
                #expect(decoded.totals.rowCount == (length == 98 ? 2 : 1))
            }
        }
    }

    @Test func faultsOfEarlierBatchesAreNotToldAgain() {
        let text = "a,b\n1\n2,3\n4\n"
        let decoded = decodeCSV([CSVFile(text, from: 6)])
        #expect(faults(decoded) == ["\"ragged_record\" 10 \"4\""])
        #expect(decoded.column("a") == [.number(2)])
    }

    /// Random bytes of those that matter, from a fixed seed.
    @Test func anyBytesAreDecodedAlikeHoweverTheyCome() {
        var random = SeededGenerator(seed: 7)
        let alphabet = Array("\"\"\",,;\n\n\r ab1\u{E9}".utf8)
        for _ in 0..<400 {
            let count = Int(random.next() % 200)
            let bytes =
                Array("a,b\n".utf8)
                + (0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            let limit = 10 + Int(random.next() % 100)
            func decoded(window: Int, isPortable: Bool) -> DecodedCSV {
                decodeCSV([CSVFile(bytes)], window: window, isPortable: isPortable) {
                    $0.maxRecordBytes = limit
                    $0.separator = UInt8(ascii: ",")
                }
            }
            let whole = decoded(window: bytes.count, isPortable: false)
            let step = 1 + Int(random.next() % 9)
            #expect(decoded(window: step, isPortable: true) == whole, "\(bytes)")
            let places = (whole.rows + whole.quarantine).compactMap { row -> Int64? in
                if case .number(let offset)? = row["source_offset"] { offset } else { nil }
            }
            #expect(Set(places).count == places.count, "no byte is in two rows: \(bytes)")
        }
    }
}
