import FoundationEssentials

extension Commit {
    static func decode(
        _ bytes: some BidirectionalCollection<UInt8>,
        version: Int64,
        content: Content
    ) throws(DeltaLogError) -> [Action] {
        let decoder = JSONDecoder()
        var actions: [Action] = []
        var line = 0
        // As an array, which it mostly is: a collection of any kind is split by a call for each byte.
        for text in Array(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            guard !text.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) else { continue }
            guard content == .all || !saysNothingOfHead(text) else { continue }
            guard let action = try decode(text, decoder, version: version, line: line) else { continue }
            guard content == .all || action.rank < 4 else { continue }
            actions.append(action)
        }
        return actions
    }

    /// Whether a line says nothing of the head and can be skipped without parsing; a line written with other
    /// white space is parsed first, and so is one that was cut off.
    private static func saysNothingOfHead(_ text: some BidirectionalCollection<UInt8>) -> Bool {
        guard text.last == UInt8(ascii: "}") else { return false }
        return [#"{"add":"#, #"{"remove":"#, #"{"commitInfo":"#].contains { text.starts(with: $0.utf8) }
    }

    private static func decode(
        _ text: some Collection<UInt8>,
        _ decoder: JSONDecoder,
        version: Int64,
        line: Int
    ) throws(DeltaLogError) -> Action? {
        do {
            return try decoder.decode(ActionLine.self, from: Data(text)).action
        } catch var error as DeltaLogError {
            error.version = version
            error.line = line
            throw error
        } catch {
            throw DeltaLogError(
                .malformedAction,
                "the line is no Delta action",
                version: version,
                line: line
            )
        }
    }
}
