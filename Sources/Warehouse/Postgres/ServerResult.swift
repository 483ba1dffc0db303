import CPostgres

/// What a server answered to one statement.
final class ServerResult {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    /// Whether the statement was carried out, or waits for data.
    var isGood: Bool {
        let status = PQresultStatus(result)
        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN
            || status == PGRES_EMPTY_QUERY
    }

    /// Whether the server waits for data.
    var takesData: Bool { PQresultStatus(result) == PGRES_COPY_IN }

    /// The rows, as texts.
    var rows: [[String?]] {
        (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) == 1
                    ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
    }

    private func field(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
    }

    /// The server's code, five characters.
    var sqlState: String? { field("C") }

    /// The failure in words, with a way to mend it.
    func error(of warehouse: String, _ what: String, _ secrets: Secrets) -> WarehouseError {
        let state = sqlState ?? ""
        var said = field("M") ?? "no reason given"
        // The context names line and column, then shows the value, which nobody is to see.
        if let context = field("W")?.split(separator: "\n").first?.split(separator: ": \"").first {
            said += " (\(context))"
        }
        let parts = [("table", "t"), ("column", "c"), ("constraint", "n")] as [(String, Unicode.Scalar)]
        let names = parts.compactMap { name, code in field(code).map { "\(name) \($0)" } }
        if !names.isEmpty { said += " [\(names.joined(separator: ", "))]" }
        let failure = Failure(sqlState: state, message: said)
        return WarehouseError(
            failure.code,
            "warehouse \(warehouse) failed in \(what): \(secrets.masked(said))\(state.isEmpty ? "" : " (SQLSTATE \(state))"); nothing of it was kept",
            mend: failure.mend,
            sqlState: sqlState,
            isTransient: failure.isTransient
        )
    }
}

/// What a SQLSTATE asks for.
///
/// Source: PostgreSQL's documentation, appendix "PostgreSQL Error Codes".
struct Failure {
    var code: WarehouseError.Code
    var mend: String
    var isTransient = false

    init(sqlState: String, message: String) {
        switch sqlState {
        case "40001", "40P01", "55P03":
            self.init(
                .rejected,
                "run it again: other transactions stood in the way every time",
                isTransient: true
            )
        case "57P01", "57P02", "57P03", "53300", "25P03":
            self.init(.unreachable, "run it again once the server is well", isTransient: true)
        case _ where sqlState.hasPrefix("08"):
            self.init(.unreachable, "run it again once the server is well", isTransient: true)
        // Redshift's serializable isolation violation.
        case "XX000" where message.contains("1023"):
            self.init(
                .rejected,
                "run it again: other transactions stood in the way every time",
                isTransient: true
            )
        case "42501":
            self.init(
                .refused,
                "grant the role what it lacks: USAGE and CREATE on the schema, INSERT, SELECT, UPDATE and DELETE on its tables, and the ownership of a target that is to get columns"
            )
        case "53100": self.init(.full, "make room on the server's disk, then run it again")
        case "53200": self.init(.full, "give the server more memory, then run it again")
        case "22001", "23502", "23505", "23514", "23503":
            self.init(
                .conflict,
                "change the column or constraint of the target, or have the table built anew with: auditlake load PIPELINE --full"
            )
        case "54000" where message.contains("index"):
            self.init(.conflict, "take columns of short values into load.key, or drop the index of long ones")
        case "2BP01":
            self.init(
                .conflict,
                "drop what depends on the target (views, for example), and make it again afterwards"
            )
        case "25006":
            self.init(.refused, "name a server that can be written to: this one is a replica or read-only")
        default: self.init(.rejected, "see the server's log; run it again once the cause is mended")
        }
    }

    private init(_ code: WarehouseError.Code, _ mend: String, isTransient: Bool = false) {
        self.code = code
        self.mend = mend
        self.isTransient = isTransient
    }
}
