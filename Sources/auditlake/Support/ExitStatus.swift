import ArgumentParser
import BatchProtocol
import Catalog
import Configuration
import DeltaTables
import Foundation
import ObjectStorage
import Pipelines
import Query
import Telemetry
import Warehouse

/// The one place that turns an error into words and an exit status; the numbers are those of sysexits.h where one fits.
enum ExitStatus: Int32 {
    /// A check or a run failed.
    case failure = 1
    /// The query failed.
    case query = 2
    /// The configuration is wrong.
    case configuration = 65
    /// A rule is broken whose action is `fail`.
    case expectation = 67
    /// The warehouse is out of reach, or refuses what it is given.
    case warehouse = 69
    /// Input is lost or unreadable.
    case input = 66
    /// The disk is full, read-only or forbidden.
    case storage = 73
    /// The run was stopped; the next one goes on.
    case stopped = 75
    /// The lake or its state contradicts itself.
    case state = 76
}

/// What a person is told of an error.
struct ErrorReport {
    /// What happened and where.
    var message: String
    /// How to mend it.
    var mend: String?
    /// The exit status.
    var status: ExitStatus

    /// Describes any error.
    init(_ error: any Error) {
        switch error {
        case let error as InvalidConfiguration:
            self.init(error.description, nil, .configuration)
        case let error as PipelineError:
            let status: ExitStatus =
                switch error.code {
                case .sourceLost, .unreadable: .input
                case .expectationFailed: .expectation
                case .timeZone, .sourceConflict, .missingLibrary: .configuration
                case .cancelled: .stopped
                case .damagedState, .tableMismatch, .unsettled: .state
                }
            self.init(error.message, error.mend, status)
        case let error as ShardError: self.init(error.description, error.mend, .state)
        case let error as StorageError:
            self.init(error.description, error.mend, error.operation == "read" ? .input : .storage)
        case let error as Lake.LakeError: self.init(error.description, error.mend, .state)
        case let error as CommitConflictError: self.init(error.description, "run the command again", .failure)
        case let error as QueryError:
            self.init(error.message, error.mend, error.code == .fileSystem ? .storage : .query)
        case let error as MetricsError: self.init(error.message, error.mend, .failure)
        case let error as WarehouseError:
            let status: ExitStatus =
                switch error.code {
                case .setting: .configuration
                case .cancelled: .stopped
                case .outOfStep: .state
                case .unreachable, .refused, .full, .conflict, .rejected: .warehouse
                }
            self.init(error.message, error.mend, status)
        case let error as UsageError: self.init(error.message, error.mend, error.status)
        default: self.init("\(error)", nil, .failure)
        }
    }

    /// Message and mending on one line, for logs.
    var line: String { mend.map { "\(message); \($0)" } ?? message }

    private init(_ message: String, _ mend: String?, _ status: ExitStatus) {
        self.message = message
        self.mend = mend
        self.status = status
    }
}

/// A command that cannot do what it was asked for.
struct UsageError: Error {
    var message: String
    var mend: String?
    var status = ExitStatus.failure
}

/// Runs a command's work; an error becomes a message and an exit status.
func reporting(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let code as ExitCode {
        throw code
    } catch {
        let report = ErrorReport(error)
        writeError("error: \(report.message)")
        if let mend = report.mend { writeError("    \(mend)") }
        throw ExitCode(report.status.rawValue)
    }
}
