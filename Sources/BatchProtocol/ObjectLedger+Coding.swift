import Foundation

/// A ledger in a state snapshot is the base64 text of its records.
extension ObjectLedger: Codable {
    /// Reads a ledger.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let bytes = Data(base64Encoded: text), let ledger = ObjectLedger(decoding: Array(bytes)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "not a ledger of objects"
            )
        }
        self = ledger
    }

    /// Writes a ledger.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(encoded).base64EncodedString())
    }
}
