/// Log records of many sorts, in which damage is then done.
enum Sample {
    /// Records of one file, each with bytes of its own: the session and line number tell them apart.
    static let records: [[UInt8]] = {
        let statements = [
            "select 1", "select 'a, b', \"c\"", "insert into \"s\".t values ('x\ny', 2)",
            "update t set a = '\"'",
            "delete from t -- 2026-11-21 06:22:00.545 UTC,\nwhere a = 1", "select ',\"\"\",\"'",
        ]
        var all: [(LogRecord, String)] = []
        for (number, statement) in statements.enumerated() {
            all.append((.audit(AuditMessage(statement: statement)), "\n"))
            all.append(
                (.audit(AuditMessage(statement: statement, parameter: "\"a\"\"b\",1", rows: "2")), "\n")
            )
            all.append(
                (
                    .error("42P01", "relation \"x\" is missing", query: statement),
                    number % 2 == 0 ? "\r\n" : "\n"
                )
            )
            all.append((LogRecord(message: "statement: " + statement), "\n"))
        }
        var bare = LogRecord(user: nil, database: nil, connection: nil, commandTag: nil)
        bare.applicationName = ""
        bare.backendType = "checkpointer"
        all.append((bare, "\n"))
        var silent = LogRecord(user: nil, database: nil, connection: nil, commandTag: nil, message: nil)
        silent.applicationName = nil
        silent.backendType = nil
        all.append((silent, "\n"))
        all.append((LogRecord(user: "", connection: "10.0.0.1:5432", message: ""), "\n"))
        all.append((LogRecord(user: ",x", message: ",\"", detail: "\n\n,,\"\"\n"), "\n"))
        for count in [23, 24] {
            var old = LogRecord.audit(AuditMessage(statement: "select \"é\""))
            old.columnCount = count
            all.append((old, "\n"))
        }
        var later = LogRecord(message: "connection received: host=10.0.0.1 port=5432")
        later.furtherColumns = ["\"new, column\"", "28"]
        all += [(later, "\n"), (silent, "\n"), (bare, "\r\n"), (LogRecord(message: "last"), "\n")]
        return all.enumerated().map { number, entry in
            var record = entry.0
            record.lineNumber = number + 1
            record.sessionID = "6b013888.\(String(number + 16, radix: 16))"
            return Array((record.text + entry.1).utf8)
        }
    }()

    /// The whole file.
    static let bytes = records.flatMap { $0 }
}
