import ArgumentParser
import Configuration
import Foundation
import Pipelines

/// `auditlake trace event`.
struct TraceEventCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event",
        abstract: "From a Databricks event, or a byte of a delivered file, to its batch and rows."
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The event's event_id.")
    var id: String?

    @Option(help: "The delivered file, as column source has it.")
    var file: String?

    @Option(help: "With --file: the offset of a byte in it, decompressed, from 0 on.")
    var byte: UInt64?

    @Option(help: "How to print what is found: table or json.")
    var format = OutputFormat.table

    func validate() throws {
        guard (id == nil) != (file == nil), (file == nil) == (byte == nil) else {
            throw ValidationError("give --id ID, or --file FILE with --byte N")
        }
    }

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let reading = try LakeReading(configuration)
            var traces: [EventTrace] = []
            for case .databricks(let pipeline) in configuration.pipelines {
                let lookup = EventLookup(reading: reading, settings: try configuration.settings(of: pipeline))
                guard try reading.lake.table(lookup.settings.silver) != nil else { continue }
                for line in try await lookup.lines(wanted) {
                    traces.append(try await EventTrace(line, lookup))
                }
            }
            guard !traces.isEmpty else { throw notFound }
            try say(format == .json ? try traces.json : traces.map(\.text).joined(separator: "\n"))
        }
    }

    private var wanted: EventLookup.Wanted {
        guard let file, let byte else { return .event(id ?? "") }
        guard !file.hasPrefix("s3://") else { return .byte(byte, of: file) }
        // Column source has absolute paths.
        return .byte(byte, of: URL(fileURLWithPath: file).standardizedFileURL.path)
    }

    private var notFound: UsageError {
        UsageError(
            message: id.map { "no row of silver has the event_id \($0)" }
                ?? "bronze has no line with byte \(byte ?? 0) of \(file ?? "")",
            mend:
                "look what is unread with: auditlake status; an event that a rule drops has no id: give --file and --byte"
        )
    }
}
