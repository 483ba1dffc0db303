/// A connection to a warehouse, over which a target is brought forward.
///
/// After a throw it is of no use any more: what was not committed is not in the target.
protocol LoadSession: AnyObject {
    /// Brings the next commits of the lake's table into the target, in one transaction with the cursor.
    ///
    /// - Parameters:
    ///   - walk: Says what is next.
    ///   - progress: Told how far the target is, and what is about to be committed.
    /// - Returns: What was brought; nil when the target has all.
    /// - Throws: `WarehouseError`, `StorageError`, `ParquetError`, `DeltaLogError`.
    func advance(_ walk: ChangeWalk, _ progress: LoadProgress) throws -> LoadStep?

    /// Makes the target anew from all rows of the lake's table, in one transaction with the cursor.
    ///
    /// - Parameters:
    ///   - walk: Says what the rows are.
    ///   - progress: Told how far the target is, and what is about to be committed.
    /// - Returns: What was brought.
    /// - Throws: `WarehouseError`, `StorageError`, `ParquetError`, `DeltaLogError`.
    func rebuild(_ walk: ChangeWalk, _ progress: LoadProgress) throws -> LoadStep
}

/// What a load has done so far, and what a commit that was not answered leaves open.
final class LoadProgress {
    private(set) var report = LoadReport()
    /// Failures since something was committed.
    private(set) var failures = 0
    private var pending: LoadStep?

    /// Notes how far the target is: whether a commit whose answer was lost has happened shows now.
    func found(_ position: TargetPosition) {
        if let pending, position.version >= pending.position.version, position.table == pending.position.table
        {
            committed(pending)
        }
        pending = nil
        report.version = max(report.version, position.version)
    }

    /// Notes what is about to be committed.
    func committing(_ step: LoadStep) { pending = step }

    /// Notes that it is.
    func committed(_ step: LoadStep) {
        report.add(step)
        failures = 0
        pending = nil
    }

    /// Notes a failure after which the load goes on.
    func failed() {
        failures += 1
        report.retries += 1
    }
}

/// A warehouse of any kind.
package enum WarehouseSettings: Sendable {
    /// PostgreSQL, at a url that libpq reads.
    case postgres(url: String)
    /// Amazon Redshift, at a url that libpq reads, with a place for files.
    case redshift(url: String, RedshiftSettings)

    func session(
        _ name: String,
        _ isCancelled: @escaping @Sendable () -> Bool,
        _ note: @escaping @Sendable (LoadStage) -> Void
    ) throws -> any LoadSession {
        let connection = try connection(name, isCancelled)
        switch self {
        case .postgres: return PostgresSession(connection, note: note)
        case .redshift(_, let settings): return RedshiftSession(connection, settings, note: note)
        }
    }

    func connection(
        _ name: String,
        _ isCancelled: @escaping @Sendable () -> Bool
    ) throws(WarehouseError) -> ServerConnection {
        switch self {
        case .postgres(let url):
            let settings = ServerConnection.Settings(name: name, url: url, isCancelled: isCancelled)
            let connection = try ServerConnection.open(settings)
            try connection.makeIndependent()
            return connection
        case .redshift(let url, let redshift):
            return try ServerConnection.open(
                ServerConnection.Settings(
                    name: name,
                    url: url,
                    secrets: redshift.secrets,
                    isCancelled: isCancelled
                )
            )
        }
    }
}
