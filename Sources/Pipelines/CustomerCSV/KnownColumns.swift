import AuditFormats
import BatchProtocol
import FoundationEssentials

/// The columns that a shard has seen in its files, as its state keeps them: each under a name of its own, so that a plan
/// carries only new ones.
struct KnownColumns {
    private static let prefix = "column/"

    private struct Stored: Codable {
        /// Its place among the columns, in order of first sight.
        var ordinal: Int
        var column: CSVColumn
    }

    /// In order of first sight.
    let columns: [CSVColumn]

    /// Reads the state after a batch.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    init(_ state: ShardState) throws {
        let stored = try state.values.filter { $0.key.hasPrefix(Self.prefix) }
            .map { key, value in
                guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(value.utf8)) else {
                    throw Self.damage("what is known of “\(key)” cannot be read")
                }
                return stored
            }
            .sorted { $0.ordinal < $1.ordinal }
        guard stored.map(\.ordinal).elementsEqual(stored.indices) else {
            throw Self.damage("of the columns that are known some are missing, or are there twice")
        }
        columns = stored.map(\.column)
    }

    private static func damage(_ message: String) -> PipelineError {
        PipelineError(
            code: .damagedState,
            message: message,
            mend: "restore the lake's _auditlake folder from a backup"
        )
    }

    /// What a batch adds, for its plan.
    ///
    /// - Parameter grown: The columns after the batch.
    /// - Returns: One change for each column that is new.
    /// - Throws: Never in practice: a column is always JSON.
    func changes(to grown: [CSVColumn]) throws -> [StateChange] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try grown.enumerated().dropFirst(columns.count).map { ordinal, column in
            let value = try encoder.encode(Stored(ordinal: ordinal, column: column))
            return StateChange(
                key: Self.prefix + column.name,
                value: String(decoding: value, as: UTF8.self)
            )
        }
    }
}
