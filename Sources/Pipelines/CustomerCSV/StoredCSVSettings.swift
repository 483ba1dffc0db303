import AuditFormats
import FoundationEssentials

/// How records become rows, as a plan keeps it: all but the key of hashes.
struct StoredCSVSettings: Codable {
    private var separator: UInt8?
    private var customerColumn: String?
    private var eventTimeColumn: String?
    private var columns: [String: CSVColumnType]
    private var excluded: [String]
    private var masks: [String: String]
    private var maxRecordBytes: Int

    /// Takes what matters of settings.
    init(_ settings: CustomerCSVSettings) {
        separator = settings.separator
        customerColumn = settings.customerColumn
        eventTimeColumn = settings.eventTimeColumn
        columns = settings.declared
        excluded = settings.excluded.sorted()
        masks = settings.masks.mapValues(Self.text)
        maxRecordBytes = settings.maxRecordBytes
    }

    /// As a plan keeps them.
    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// What a plan has, with the key of the settings of now.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    static func settings(_ text: String, maskKey: [UInt8]?) throws -> CustomerCSVSettings {
        guard let stored = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else {
            throw PipelineError(
                code: .damagedState,
                message: "the settings that a plan holds cannot be read",
                mend: "finish the batch with the release of auditlake that planned it"
            )
        }
        var settings = CustomerCSVSettings()
        settings.separator = stored.separator
        settings.customerColumn = stored.customerColumn
        settings.eventTimeColumn = stored.eventTimeColumn
        settings.declared = stored.columns
        settings.excluded = Set(stored.excluded)
        settings.masks = stored.masks.compactMapValues(mask)
        settings.maskKey = maskKey
        settings.maxRecordBytes = stored.maxRecordBytes
        return settings
    }

    private static func text(_ mask: ColumnMask) -> String {
        switch mask {
        case .hash: "hash"
        case .drop: "drop"
        case .truncate(let count): "truncate:\(count)"
        }
    }

    private static func mask(_ text: String) -> ColumnMask? {
        switch text {
        case "hash": .hash
        case "drop": .drop
        default: text.split(separator: ":").last.flatMap { Int($0) }.map(ColumnMask.truncate)
        }
    }
}
