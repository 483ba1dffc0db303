import DeltaLog

/// The statements that Redshift alone understands, or needs.
///
/// Source: Amazon Redshift Database Developer Guide, "COPY", "COPY from columnar data formats", "Merge examples", "LOCK".
extension LoadStatements {
    /// The staged columns with the types of the staged files, in their order.
    ///
    /// COPY from Parquet goes by position and makes no SUPER of a map and no time with a zone: those are staged as JSON text and
    /// as a time without zone, and become what they are on the way into the target.
    package var createStage: String {
        let parts = columns.map { "\(quotedName($0.name)) \(Self.stagedType(of: $0.type))" }
        let own = [
            "\(quotedName(StagedText.cutColumn)) varchar(65535)", "\(quotedName(Self.order)) bigint",
        ]
        return "CREATE TEMPORARY TABLE \(quotedName(Self.stage)) (\((parts + own).joined(separator: ", ")))"
    }

    private static func stagedType(of type: DataType) -> String {
        switch type {
        case .boolean: "boolean"
        case .integer: "integer"
        case .long: "bigint"
        case .date: "date"
        case .timestamp: "timestamp without time zone"
        case .string, .double, .map, .array, .structure, .binary: "varchar(65535)"
        }
    }

    /// A staged value as the target has it.
    func value(of column: TargetColumn, in table: String? = nil) -> String {
        let name = (table.map { "\($0)." } ?? "") + quotedName(column.name)
        guard dialect == .redshift else { return name }
        switch column.type {
        case .timestamp: return "\(name) AT TIME ZONE 'UTC'"
        case .double: return "CAST(\(name) AS double precision)"
        case .map, .array, .structure: return "json_parse(\(name))"
        case .boolean, .integer, .long, .date, .string, .binary: return name
        }
    }

    /// Takes the files of a manifest into the stage.
    package func copy(manifest: String, access: RedshiftSettings.Access) -> String {
        let authorization =
            switch access {
            case .role(let role): "IAM_ROLE \(quotedText(role))"
            case .keys(let id, let secret, let token):
                "ACCESS_KEY_ID \(quotedText(id)) SECRET_ACCESS_KEY \(quotedText(secret))"
                    + (token.map { " SESSION_TOKEN \(quotedText($0))" } ?? "")
            }
        return
            "COPY \(quotedName(Self.stage)) FROM \(quotedText(manifest)) \(authorization) FORMAT AS PARQUET MANIFEST"
    }

    /// Keeps everybody else from writing the target and the cursors until the transaction ends.
    ///
    /// The first statement of its transaction, which sees what was committed before it had the locks.
    package var lockTarget: String { "LOCK \(target.quoted), \(target.batches.quoted)" }

    /// Takes all rows of the stage.
    package var insertStaged: String {
        let values = columns.map { value(of: $0) } + [quotedName(StagedText.cutColumn)]
        return
            "INSERT INTO \(target.quoted) (\(names(targetNames))) SELECT \(values.joined(separator: ", ")) FROM \(quotedName(Self.stage))"
    }

    /// Takes the rows away.
    package var deleteAll: String { "DELETE FROM \(target.quoted)" }

    /// Asks which columns a table of the target's schema has.
    package func readColumns(of name: TargetName) -> String {
        """
        SELECT column_name FROM information_schema.columns WHERE table_schema = \(quotedText(name.schema)) \
        AND table_name = \(quotedText(name.table)) ORDER BY ordinal_position
        """
    }

    /// Asks whether the target's schema is there.
    package var readSchema: String {
        "SELECT 1 FROM pg_namespace WHERE nspname = \(quotedText(target.schema))"
    }

    /// Makes the target's schema.
    package var createSchema: String { "CREATE SCHEMA IF NOT EXISTS \(quotedName(target.schema))" }

    /// Why the last COPY of this session failed, in serverless workgroups and provisioned clusters.
    package static let loadErrors =
        "SELECT trim(file_name), line_number, trim(column_name), trim(error_message) FROM sys_load_error_detail WHERE session_id = pg_backend_pid() ORDER BY start_time DESC LIMIT 1"

    /// The same in provisioned clusters that lack the newer view.
    package static let olderLoadErrors =
        "SELECT trim(filename), line_number, trim(colname), trim(err_reason) FROM stl_load_errors WHERE session = pg_backend_pid() ORDER BY starttime DESC LIMIT 1"
}
