/// A pipeline that tails the logs of one PostgreSQL server into one table.
package struct PostgresPipelineConfiguration: Hashable, Sendable {
    /// Which records become rows.
    package enum Keep: String, CaseIterable, Sendable {
        /// Every record of the log.
        case all
        /// Audit events only; the rest is counted.
        case audit
    }

    /// What the files hold.
    package enum FileFormat: String, CaseIterable, Sendable {
        /// Each file tells, by its name or its first bytes.
        case auto
        /// Records as CSV.
        case csvlog
        /// Records as JSON.
        case jsonlog
    }

    /// How column `statement` holds the SQL.
    package enum StatementText: String, CaseIterable, Sendable {
        /// Every literal replaced by a placeholder.
        case normalized
        /// As the server logged it.
        case verbatim
    }

    /// The pipeline's name, unique in the file without regard to letter case.
    package var name: String
    /// Absolute paths with wildcards, at least one: the log files.
    package var files: [Setting<String>]
    /// Absolute path of PostgreSQL's `current_logfiles`, which names the files that are being written; nil for none.
    package var currentLogfiles: Setting<String>?
    /// Where to begin when there is no batch yet.
    package var start: StartPoint
    /// The longest time from a whole record in the log to its row in the table, while following.
    package var commitEvery: Duration
    /// How long a file that has vanished is kept in mind.
    package var forgetAfter: Duration
    /// What the files hold.
    package var fileFormat: FileFormat
    /// Users whose records are left out.
    package var excludedRoles: [Setting<String>]
    /// Values of `application_name` whose records are left out.
    package var excludedApplications: [Setting<String>]
    /// Value of column `src`.
    package var role: Setting<String>
    /// Which server wrote the logs; the pipeline's name unless given.
    ///
    /// Session ids of two servers can collide, so each needs a name of its own.
    package var node: Setting<String>
    /// Which records become rows.
    package var keep: Keep
    /// The table that receives the rows.
    package var table: Setting<ConfiguredTable>
    /// IANA zone of the server's `log_timezone`; needed when the log writes an ambiguous abbreviation.
    package var timeZone: Setting<String>?
    /// Whether secrets in column `raw` are blanked.
    package var redact: Bool
    /// How column `statement` holds the SQL.
    package var statement: StatementText
    /// What happens when planned bytes have vanished.
    package var onDataLoss: DataLossPolicy
    /// Longest record whose text is derived whole, in bytes.
    package var maxRecordByteCount: Int
    /// Where the rows of the main table go besides the lake; nil for nowhere.
    package var load: LoadConfiguration?
    /// Largest commit unit, in bytes of input.
    package var batchByteCount: Int
    /// Longest undecided tail of a file before it goes to the quarantine, in bytes.
    package var maxPendingByteCount: Int
}

/// The last two parts of a table's name; the first is the configuration's catalog.
package struct ConfiguredTable: Hashable, Sendable, CustomStringConvertible {
    /// The schema.
    package var schema: String
    /// The table in its schema.
    package var table: String

    package init(schema: String, table: String) {
        self.schema = schema
        self.table = table
    }

    /// `schema.table`.
    package var description: String { "\(schema).\(table)" }
}
