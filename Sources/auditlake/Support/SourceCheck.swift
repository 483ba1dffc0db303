import AuditFormats
import Foundation
import Intake
import ObjectStorage
import Pipelines

/// Looks whether a pipeline's files can be read and understood.
struct SourceCheck {
    /// Bytes at the start of a file that are looked at.
    static let sampleByteCount = 1 << 20

    private let name: String
    private let settings: PostgresPipelineSettings

    init(_ name: String, _ settings: PostgresPipelineSettings) throws {
        self.name = name
        self.settings = settings
    }

    var findings: [Finding] {
        do {
            let (files, remarks) = try settings.source.find()
            let notes = remarks.map(finding)
            let samples = files.filter { $0.byteCount > 0 }.compactMap(sampleFinding)
            let bytes = files.reduce(0) { $0 + $1.byteCount }
            let overview = files.isEmpty ? [] : [Finding(.good, name, "\(files.count) files, \(bytes) bytes")]
            return overview + notes + samples
        } catch {
            let report = ErrorReport(error)
            return [Finding(.bad, name, report.message, mend: report.mend)]
        }
    }

    /// The files and what they hold; nil when they cannot be looked at, which the findings then say.
    var files: SourceFiles? {
        guard let formats = try? settings.source.formats(settings.format) else { return nil }
        return SourceFiles(
            pipeline: name,
            node: settings.decoding.node,
            table: settings.table.description,
            formats: formats
        )
    }

    private func finding(_ remark: TailedFileSource.Remark) -> Finding {
        switch remark {
        case .nothingMatches(let pattern):
            Finding(
                .warning,
                name,
                "nothing matches \(pattern)",
                mend: "check log_directory, and that log_destination has csvlog or jsonlog"
            )
        case .isFolder(let path):
            Finding(.warning, name, "\(path) is a folder", mend: "write \(path)/*.csv to read its files")
        case .startsAnew(let path): Finding(.warning, name, "\(path) was replaced")
        case .endsTooEarly(let path):
            Finding(.warning, name, "\(path) ends too early", mend: "a run reads it when it is whole")
        case .isDamaged(let path):
            Finding(.warning, name, "\(path) cannot be decompressed", mend: "bring a sound copy")
        case .copyIsDamaged(let path, let original):
            Finding(.bad, name, "\(path) is gone or was cut, a copy of \(original)", mend: "bring it back")
        case .spoolIsUnreadable(let path):
            Finding(
                .bad,
                name,
                "the spool \(path) cannot be read",
                mend: "look at its rights and at spool.json"
            )
        case .cannotBeListed, .hidesLosses:
            Finding(.warning, name, remark.words, mend: "give this user the right to list it")
        case .copyDoesNotFit(let path):
            Finding(.warning, name, "\(path) was spooled beside another lake", mend: "bring the lake back")
        case .namesNoLog(let path):
            Finding(
                .warning,
                name,
                "\(path) names no csvlog or jsonlog file",
                mend: "check logging_collector and log_destination"
            )
        }
    }

    private func collectorFinding(_ file: FoundFile) -> Finding {
        Finding(
            .warning,
            name,
            "\(file.path) is written by the log collector itself and holds no records",
            mend: "each of its lines will go to the quarantine table"
        )
    }

    /// What is wrong with a file's first records, nil when nothing is.
    private func sampleFinding(_ file: FoundFile) -> Finding? {
        do {
            let reader = try FileReader(path: file.path)
            var bytes = [UInt8](repeating: 0, count: Int(min(file.byteCount, UInt64(Self.sampleByteCount))))
            let count = try bytes.withUnsafeMutableBytes { try reader.read(at: 0, into: $0) }
            let format = try self.settings.format ?? reader.detectFormat(path: file.path)
            if format == .collector { return collectorFinding(file) }
            try format.demandReadable(path: file.path)
            let settings = settings.decoding
            let faultCount = try bytes.withUnsafeBytes { buffer in
                var decoder = PostgresDecoder(settings: settings)
                _ = try decoder.decode(
                    UnsafeRawBufferPointer(rebasing: buffer[..<count]),
                    baseOffset: 0,
                    source: file.path,
                    format: format
                )
                return (rows: decoder.rows.count, faults: decoder.quarantine.count)
            }
            if faultCount.rows == 0, faultCount.faults > 0 {
                return Finding(
                    .bad,
                    name,
                    "\(file.path) is no \(format) file",
                    mend: "correct the pattern under source: files"
                )
            }
            guard faultCount.faults > 0 else { return nil }
            return Finding(
                .warning,
                name,
                "\(file.path): \(faultCount.faults) damaged places among \(faultCount.rows) records",
                mend: "they will go to the quarantine table"
            )
        } catch let error as PostgresDecoder.SettingsError {
            let failure = PipelineError(timeZone: error, path: file.path)
            return Finding(.bad, name, failure.message, mend: failure.mend)
        } catch {
            let report = ErrorReport(error)
            return Finding(.bad, name, report.message, mend: report.mend)
        }
    }
}

/// The running program.
enum Program {
    /// Its absolute path.
    static var path: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
    }
}
