/// Finds the name somebody meant when they mistyped it.
enum NearestName {
    /// The candidate with the fewest changed characters from `name`, letter case ignored.
    ///
    /// - Returns: nil when even the nearest differs in more than a third of its characters (two in short names).
    /// - Complexity: O(`candidates.count` · length²).
    static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased())
        let ranked = candidates.map { (distance(wanted, Array($0.lowercased())), $0) }
        guard let best = ranked.min(by: { $0 < $1 }), best.0 <= max(2, best.1.count / 3) else { return nil }
        return best.1.count > best.0 ? best.1 : nil
    }

    /// The sentence that offers the nearest name, or else lists all of them.
    static func mend(_ name: String, among candidates: [String]) -> String {
        if let nearest = of(name, among: candidates) { return "did you mean “\(nearest)”?" }
        return "expected one of: \(candidates.joined(separator: ", "))"
    }

    /// Levenshtein's distance: insertions, deletions and substitutions cost one each.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (index, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let substitution = diagonal + (character == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substitution, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
