import ArgumentParser

/// The command line.
@main
struct AuditLake: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auditlake",
        abstract: "Audit logs into Delta Lake tables: exactly once, redacted, queryable at once.",
        discussion: """
            Start with: auditlake init, auditlake check, auditlake run --once.

            Exit status: 0 done; 1 a check or a run failed; 2 the query failed; 64 wrong usage; 65 wrong \
            configuration; 66 input lost or unreadable; 67 an expectation is broken; 69 the warehouse is out of reach or \
            refuses the rows; 73 the disk is full, read-only or forbidden; \
            75 stopped, run again to go on; 76 the lake or its state contradicts itself.
            """,
        version: "0.1.0",
        subcommands: [
            InitCommand.self, CheckCommand.self, RunCommand.self, StatusCommand.self, QueryCommand.self,
            TablesCommand.self, DescribeCommand.self, HistoryCommand.self, TraceCommand.self,
            ReplayCommand.self, LoadCommand.self,
        ]
    )
}
