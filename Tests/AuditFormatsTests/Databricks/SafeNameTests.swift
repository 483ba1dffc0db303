import Testing

@testable import AuditFormats

@Suite struct SafeNameTests {
    @Test(arguments: [
        ("jobs", "jobs"), ("a-b", "a_b"), ("", "_"), ("a.b c", "a%2Eb%20c"), (".hidden", "%2Ehidden"),
        ("x;y{z}(w)=1,2", "x%3By%7Bz%7D%28w%29%3D1%2C2"), ("\"q\" 'r' `s`", "%22q%22%20%27r%27%20%60s%60"),
        ("a/b\\c%d", "a%2Fb%5Cc%25d"), ("tab\tnew\nnul\0del\u{7F}", "tab%09new%0Anul%00del%7F"),
        ("größe", "größe"), ("e\u{301}", "\u{E9}"), ("分析 🚀", "分析%20🚀"), ("\u{85}", "%C2%85"),
        ("c:d*?[e]#<f>|g", "c%3Ad%2A%3F%5Be%5D%23%3Cf%3E%7Cg"), ("script-SHA256", "script_SHA256"),
    ])
    func refusedCharactersBecomePercents(_ name: String, _ safe: String) {
        #expect(Array(SafeName.column(name).unicodeScalars) == Array(safe.unicodeScalars))
    }

    @Test func longNamesAreCutAndStayDifferent() {
        let names = ["x", "y"].map { SafeName.column(String(repeating: "ü", count: 150) + $0) }
        #expect(names[0] != names[1])
        #expect(names[0].hasPrefix(String(repeating: "ü", count: 95)))
        #expect(names.allSatisfy { $0.utf8.count <= 200 && $0.utf8.count > 195 })
        #expect(SafeName.column(String(repeating: "a", count: 200)) == String(repeating: "a", count: 200))
        // A name that is refused all over does not grow beyond it either.
        #expect(SafeName.column(String(repeating: " ", count: 150)).utf8.count <= 200)
    }

    @Test func clashesRegardlessOfCaseAndComposition() {
        var taken: Set<String> = []
        let names = ["Key", "key", "KEY", "key_2", "\u{C9}", "e\u{301}", "Straße", "STRASSE"]
        let claimed = names.map { SafeName.claim(SafeName.column($0), in: &taken) }
        #expect(claimed == ["Key", "key_2", "KEY_3", "key_2_2", "\u{C9}", "\u{E9}_2", "Straße", "STRASSE"])
        #expect(Set(claimed.map { $0.lowercased() }).count == claimed.count)
    }

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
}
