import ArgumentParser
import Configuration
import Foundation

/// `auditlake init`.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a commented auditlake.yaml.",
        discussion:
            "For PostgreSQL logs with --files, for Databricks audit events with --objects, for CSV files of customers with --csv, and for several with several; for PostgreSQL when none is given."
    )

    @Option(name: .shortAndLong, help: "Where to write it.")
    var config = "auditlake.yaml"

    @Option(help: "The log files of PostgreSQL to read. (default: /var/log/postgresql/*.csv)")
    var files: String?

    @Option(help: "The server's role: the value of column src.")
    var role = "primary"

    @Option(help: "The table to fill from them, schema.table.")
    var table = "pg_archive_sync.primary_postgresql_logs"

    @Option(help: "The files of Databricks audit events to read; ** crosses folders.")
    var objects: String?

    @Option(help: "The schema of their tables bronze and silver; gold lies in the one with _gold behind it.")
    var schema = "databricks_audit"

    @Option(help: "The CSV files of customers to read; ** crosses folders.")
    var csv: String?

    @Option(help: "The table to fill from them, schema.table.")
    var csvTable = "customers.audit_logs"

    @Flag(help: "Overwrite a file that is there.")
    var force = false

    func run() async throws {
        try await reporting {
            guard force || !FileManager.default.fileExists(atPath: config) else {
                throw UsageError(
                    message: "\(config) exists already",
                    mend: "use it, or overwrite it with: auditlake init --force"
                )
            }
            let postgres = ConfigurationTemplate.Postgres(
                logGlob: files ?? "/var/log/postgresql/*.csv",
                role: role,
                table: table
            )
            let template = ConfigurationTemplate(
                postgres: files == nil && (objects != nil || csv != nil) ? nil : postgres,
                databricks: objects.map { .init(objectGlob: $0, schema: schema) },
                customerCSV: csv.map { .init(objectGlob: $0, table: csvTable) }
            )
            do {
                try Data(template.text.utf8).write(to: URL(fileURLWithPath: config), options: .atomic)
            } catch {
                throw UsageError(
                    message: "\(config) cannot be written: \(error.localizedDescription)",
                    mend: "choose another place with --config"
                )
            }
            try say("wrote \(config); next: auditlake check, then auditlake run --once")
        }
    }
}
