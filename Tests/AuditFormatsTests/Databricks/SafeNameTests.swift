import Testing

@testable import AuditFormats

@Suite struct SafeNameTests {
    @Test(arguments: [
        ("script-SHA256", "script_SHA256"), ("a.b", "a%2Eb"), ("say \"hi\"", "say%20%22hi%22"),
        ("100%", "100%25"),
        ("größe", "größe"), ("gro\u{308}ße", "größe"), ("", "_"), ("a\nb", "a%0Ab"), ("[x]", "%5Bx%5D"),
    ])
    func aColumnKeepsWhatEnginesTake(text: String, name: String) { #expect(SafeName.column(text) == name) }

    @Test(arguments: [
        ("unityCatalog", "unityCatalog"), ("a-b", "a_b"), ("v2.1", "v2_x2E1"), ("a b", "a_x20b"),
        ("β", "_xCE_xB2"), ("", "_"),
        ("o\u{308}", "_xC3_xB6"), ("100%", "100_x25"), ("_delta-log", "_x5Fdelta_log"),
    ])
    func aTableHasLettersAndDigitsOfASCIIOnly(text: String, name: String) {
        #expect(SafeName.table(text) == name)
    }

    /// The hash is the beginning of `printf 's%.0s' {1..101} | sha256sum`.
    @Test func aLongNameIsCutAndEndsInAHashOfTheWhole() {
        let text = String(repeating: "s", count: 101)
        #expect(SafeName.table(String(text.dropLast())) == text.dropLast())
        #expect(SafeName.table(text) == String(repeating: "s", count: 91) + "_38c233e6")
        #expect(SafeName.column(text) == text)
        let wide = SafeName.column(String(repeating: "ü", count: 150))
        #expect(wide.utf8.count == 199)
        #expect(wide.hasPrefix(String(repeating: "ü", count: 95) + "_"))
    }

    @Test func namesThatDifferInLetterCaseOnlyAreNumbered() {
        var taken: Set<String> = []
        let names = ["Id", "id", "ID", "id_2", "Ä", "ä"].map {
            SafeName.claim(SafeName.column($0), in: &taken)
        }
        #expect(names == ["Id", "id_2", "ID_3", "id_2_2", "Ä", "ä_2"])
    }
}
