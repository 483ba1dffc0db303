import JSONText

extension Commit {
    static func decode(
        _ bytes: some BidirectionalCollection<UInt8>,
        version: Int64,
        content: Content
    ) throws(DeltaLogError) -> [Action] {
        var actions: [Action] = []
        var line = 0
        // As an array, which it mostly is: a collection of any kind is split by a call for each byte.
        for text in Array(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            guard !text.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) else { continue }
            guard !content.passesOver(text) else { continue }
            guard let action = try decode(text, content, version: version, line: line) else { continue }
            actions.append(action)
        }
        return actions
    }

    private static func decode(
        _ text: ArraySlice<UInt8>,
        _ content: Content,
        version: Int64,
        line: Int
    ) throws(DeltaLogError) -> Action? {
        do {
            return try JSONReader.read(text) { try Action.read(&$0, content: content) }
        } catch var error as DeltaLogError {
            error.version = version
            error.line = line
            throw error
        } catch {
            throw DeltaLogError(
                .malformedAction,
                "the line is no Delta action: \(error)",
                version: version,
                line: line
            )
        }
    }
}

extension Commit.Content {
    /// Whether actions of a kind are decoded.
    func isRead(_ kind: String) -> Bool {
        switch self {
        case .all: true
        case .state: kind != "commitInfo"
        case .head: kind != "add" && kind != "remove" && kind != "commitInfo"
        }
    }

    /// Whether a line has nothing that is wanted and can be skipped without parsing; a line written with other
    /// white space is parsed first, and so is one that was cut off.
    func passesOver(_ line: ArraySlice<UInt8>) -> Bool {
        guard self != .all, line.last == UInt8(ascii: "}") else { return false }
        let kinds = self == .head ? [#"{"add":"#, #"{"remove":"#, #"{"commitInfo":"#] : [#"{"commitInfo":"#]
        return kinds.contains { line.starts(with: $0.utf8) }
    }
}
