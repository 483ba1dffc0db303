import DeltaTables
import Glibc

/// Carries a table of the lake into a warehouse, exactly once, however often and wherever it dies.
///
/// How far the target is stands in the target itself and changes with its rows, so each attempt begins by asking there.
package struct WarehouseLoader {
    /// How often in a row a connection or a transaction may fail for a reason that may pass.
    package static let standardRetryLimit = 7

    private let name: String
    private let settings: WarehouseSettings
    private let walk: ChangeWalk
    /// How often in a row a connection or a transaction may fail for a reason that may pass.
    package var retryLimit = WarehouseLoader.standardRetryLimit
    /// Whether the load is to stop.
    package var isCancelled: @Sendable () -> Bool = { false }
    /// Told of each stage.
    package var note: @Sendable (LoadStage) -> Void = { _ in }
    /// Told why something is tried again.
    package var retrying: @Sendable (WarehouseError, Duration) -> Void = { _, _ in }

    /// Names a table and where it goes.
    ///
    /// - Parameters:
    ///   - name: The warehouse's name in the configuration.
    ///   - settings: How it is reached.
    ///   - task: What goes where.
    ///   - table: The lake's table; its head is the version that the target gets.
    package init(name: String, settings: WarehouseSettings, task: LoadTask, table: DeltaTable) {
        self.name = name
        self.settings = settings
        walk = ChangeWalk(table: table, task: task)
    }

    /// Brings the target up to the table's version.
    ///
    /// Blocks; runs on a thread of its own.
    ///
    /// - Throws: `WarehouseError`, `StorageError`, `ParquetError`, `DeltaLogError`. What was committed stays.
    package func bringForward() throws -> LoadReport {
        try trying { session, progress in
            while let step = try session.advance(walk, progress) { progress.committed(step) }
        }
    }

    /// Builds the target anew and puts it into the place of the old one.
    ///
    /// Blocks; runs on a thread of its own.
    ///
    /// - Throws: `WarehouseError`, `StorageError`, `ParquetError`, `DeltaLogError`. The old target is then as it was.
    package func rebuild() throws -> LoadReport {
        try trying { session, progress in progress.committed(try session.rebuild(walk, progress)) }
    }

    private func trying(_ body: (any LoadSession, LoadProgress) throws -> Void) throws -> LoadReport {
        let progress = LoadProgress()
        while true {
            do {
                try body(try settings.session(name, isCancelled, note), progress)
                return progress.report
            } catch let error as WarehouseError where error.isTransient && progress.failures < retryLimit {
                progress.failed()
                try sleep(before: progress.failures, error)
            }
        }
    }

    /// Half a second, then twice as long each time, up to half a minute.
    private func sleep(before attempt: Int, _ error: WarehouseError) throws {
        let tenths = min(300, 5 << min(attempt - 1, 6))
        retrying(error, .milliseconds(100 * tenths))
        for _ in 0..<tenths {
            if isCancelled() {
                throw WarehouseError(
                    .cancelled,
                    "the load was stopped while it waited to try again: \(error.message)",
                    mend: error.mend
                )
            }
            usleep(100_000)
        }
    }
}
