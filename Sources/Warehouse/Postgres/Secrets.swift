import CPostgres

/// The parts of a connection's settings that nobody may see.
struct Secrets: Sendable {
    private let texts: [String]

    private init(_ texts: [String]) { self.texts = texts }

    /// Reads a connection's settings: its secrets, and the seconds that it gives the server to answer.
    ///
    /// - Throws: `WarehouseError` with `setting` when libpq cannot read them; its own words may show the password.
    static func read(_ settings: ServerConnection.Settings) throws(WarehouseError) -> (Secrets, patience: Int)
    {
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(settings.url, &message)
        if let message { PQfreemem(message) }
        guard let options else {
            throw WarehouseError(
                .setting,
                "warehouses.\(settings.name).url is not a connection string of PostgreSQL",
                mend:
                    "write url: \"postgresql://user:${PGPASSWORD}@host:5432/database\"; characters such as @ or / in a password are percent-encoded"
            )
        }
        defer { PQconninfoFree(options) }
        var texts = [settings.url] + settings.secrets
        var patience = 10
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val.map({ String(cString: $0) }), !value.isEmpty {
                switch String(cString: keyword) {
                case "password", "sslpassword": texts.append(value)
                case "connect_timeout":
                    if let seconds = Int(value), seconds > 0 { patience = max(2, seconds) }
                default: break
                }
            }
            option += 1
        }
        return (Secrets(texts), patience)
    }

    /// A text with `***` in the place of each secret, on one line.
    func masked(_ text: String) -> String {
        var text = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        for secret in texts { text = text.replacing(secret, with: "***") }
        return text
    }
}
