import BatchProtocol

/// The other names that an object may have: it was compressed or decompressed, or moved with its folder.
struct ObjectNames {
    /// Folders that it may lie in, with a slash at the end.
    var folders: [String] = []
    /// Folders that it may lie in under the other name.
    var others: [String] = []

    /// The other names of an object.
    func others(of key: String) -> [String] {
        var names = Self.compressions(of: key)
        for folder in folders where key.hasPrefix(folder) {
            for other in others where other != folder {
                let name = other + key.dropFirst(folder.count)
                names.append(name)
                names += Self.compressions(of: name)
            }
        }
        return names
    }

    /// What was read furthest under another name, when that is more than what was read under its own.
    func seen(_ object: FoundObject, in ledger: ObjectLedger) -> SeenObject? {
        guard ledger.count > 0 else { return nil }
        let known = object.seen?.to ?? 0
        return others(of: object.key).compactMap(ledger.find).filter { $0.to > known }.max { $0.to < $1.to }
    }

    private static func compressions(of key: String) -> [String] {
        let plain = Compression.plainPath(of: key) ?? key
        return ([""] + Compression.suffixes).map { plain + $0 }.filter { $0 != key }
    }

    /// Takes out objects that are another one in another compression: that one is to be read first.
    static func leaveOneCompression(of objects: inout [FoundObject]) {
        guard objects.contains(where: { Compression(path: $0.key) != nil }) else { return }
        var met: Set<String> = []
        objects.removeAll { !met.insert(Compression.plainPath(of: $0.key) ?? $0.key).inserted }
    }
}
