import ArgumentParser
import Configuration
import Foundation

/// `auditlake init`.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a commented auditlake.yaml."
    )

    @Option(name: .shortAndLong, help: "Where to write it.")
    var config = "auditlake.yaml"

    @Option(help: "The log files to read.")
    var files = "/var/log/postgresql/*.csv"

    @Option(help: "The server's role: the value of column src.")
    var role = "primary"

    @Option(help: "The table to fill, schema.table.")
    var table = "pg_archive_sync.primary_postgresql_logs"

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
            let template = ConfigurationTemplate(logGlob: files, role: role, table: table)
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
