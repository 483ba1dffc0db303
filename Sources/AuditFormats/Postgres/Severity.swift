/// Whether a record reports a failure, by its severity word.
///
/// PostgreSQL translates the word in csvlog (`lc_messages`) and a LOG or WARNING may carry an error's SQLSTATE, so the
/// words that are no failure are listed in the languages of PostgreSQL's message catalogues; with an error's SQLSTATE
/// any other word is one of ERROR, FATAL and PANIC.
enum Severity {
    /// Whether `word` is LOG, WARNING, NOTICE, INFO or DEBUG in any language.
    static func isHarmless(_ word: UnsafeRawBufferPointer) -> Bool {
        switch word.count {
        case 3 where word.elementsEqual("LOG".utf8): true
        case 5 where word.elementsEqual("ERROR".utf8) || word.elementsEqual("FATAL".utf8): false
        default: harmless.contains(String(decoding: word, as: UTF8.self)) || word.starts(with: "DEBUG".utf8)
        }
    }

    private static let harmless: Set<String> = [
        "LOG", "LOGG", "JOURNAL", "DZIENNIK",
        "\u{0421}\u{041E}\u{041E}\u{0411}\u{0429}\u{0415}\u{041D}\u{0418}\u{0415}",
        "\u{0417}\u{0410}\u{041F}\u{0418}\u{0421}", "\u{65E5}\u{5FD7}", "\u{65E5}\u{8A8C}",
        "\u{65E5}\u{8A8C}", "\u{B85C}\u{ADF8}",
        "\u{30ED}\u{30B0}",
        "WARNING", "WARNUNG", "ATTENTION", "ADVERTENCIA", "ATTENZIONE", "AVISO", "VARNING", "UYARI",
        "OSTRZE\u{017B}ENIE", "VAROV\u{00C1}N\u{00CD}",
        "\u{041F}\u{0420}\u{0415}\u{0414}\u{0423}\u{041F}\u{0420}\u{0415}\u{0416}\u{0414}\u{0415}\u{041D}\u{0418}\u{0415}",
        "\u{041F}\u{041E}\u{041F}\u{0415}\u{0420}\u{0415}\u{0414}\u{0416}\u{0415}\u{041D}\u{041D}\u{042F}",
        "\u{8B66}\u{544A}",
        "\u{ACBD}\u{ACE0}",
        "NOTICE", "HINWEIS", "NOTIFICA", "NOTA", "NOTIS", "UWAGA", "POZN\u{00C1}MKA", "B\u{0130}LG\u{0130}",
        "NOT",
        "\u{0417}\u{0410}\u{041C}\u{0415}\u{0427}\u{0410}\u{041D}\u{0418}\u{0415}", "\u{6CE8}\u{610F}",
        "\u{901A}\u{77E5}",
        "\u{C54C}\u{B9BC}",
        "INFO", "INFORMACJA", "INFORMACE",
        "\u{0418}\u{041D}\u{0424}\u{041E}\u{0420}\u{041C}\u{0410}\u{0426}\u{0418}\u{042F}",
        "\u{0406}\u{041D}\u{0424}\u{041E}\u{0420}\u{041C}\u{0410}\u{0426}\u{0406}\u{042F}",
        "\u{4FE1}\u{606F}", "\u{8CC7}\u{8A0A}",
        "\u{60C5}\u{5831}", "\u{C815}\u{BCF4}",
    ]
}
