import CPostgres
import Glibc

/// One connection to a server that speaks PostgreSQL's protocol.
///
/// Blocks the thread it is used on, which is one at a time and none of the cooperative pool. A stop is heeded within a
/// tenth of a second wherever the server lets one wait.
final class ServerConnection {
    /// How a connection is made.
    struct Settings: Sendable {
        /// The warehouse's name in the configuration.
        var name: String
        /// Where it is, in a form that libpq reads; holds the password.
        var url: String
        /// What nobody may see besides what the url has.
        var secrets: [String] = []
        /// Whether the load is to stop.
        var isCancelled: @Sendable () -> Bool
    }

    let connection: OpaquePointer
    let settings: Settings
    private let secrets: Secrets

    private init(_ connection: OpaquePointer, _ settings: Settings, _ secrets: Secrets) {
        self.connection = connection
        self.settings = settings
        self.secrets = secrets
    }

    deinit { PQfinish(connection) }

    // MARK: Opening

    /// Connects.
    ///
    /// - Throws: `WarehouseError` with `setting`, `unreachable`, `refused` or `cancelled`.
    static func open(_ settings: Settings) throws(WarehouseError) -> ServerConnection {
        let (secrets, patience) = try Secrets.read(settings)
        let keywords = ["tcp_user_timeout", "fallback_application_name", "dbname", "client_encoding"]
        let values = ["60000", "auditlake", settings.url, "UTF8"]
        let pointer = withTexts(keywords) { keywords in
            withTexts(values) { values in PQconnectStartParams(keywords, values, 1) }
        }
        guard let pointer else {
            throw WarehouseError(
                .unreachable,
                "no memory for a connection to warehouse \(settings.name)",
                mend: "try again"
            )
        }
        let connection = ServerConnection(pointer, settings, secrets)
        try connection.establish(patience: patience)
        return connection
    }

    private static func withTexts<Result>(
        _ texts: [String],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { $0.map { UnsafePointer<CChar>($0) } } + [nil]
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    private func establish(patience: Int) throws(WarehouseError) {
        guard PQstatus(connection) != CONNECTION_BAD else { throw connectFailure() }
        let deadline = ContinuousClock.now.advanced(by: .seconds(patience))
        var wants = PGRES_POLLING_WRITING
        while wants != PGRES_POLLING_OK {
            guard wants != PGRES_POLLING_FAILED else { throw connectFailure() }
            guard ContinuousClock.now < deadline else {
                throw WarehouseError(
                    .unreachable,
                    "warehouse \(settings.name) has not answered within \(patience) s",
                    mend:
                        "see that the server runs and that host and port are right; connect_timeout in its url gives it longer",
                    isTransient: true
                )
            }
            if try wait(reading: wants == PGRES_POLLING_READING, writing: wants == PGRES_POLLING_WRITING) {
                wants = PQconnectPoll(connection)
            }
        }
        PQsetnonblocking(connection, 1)
        PQsetNoticeReceiver(connection, { _, _ in }, nil)
    }

    /// Makes a session of PostgreSQL independent of what the role or the database has set.
    func makeIndependent() throws(WarehouseError) {
        _ = try execute("SET search_path = ''", of: "a connection")
        _ = try execute("SET standard_conforming_strings = on", of: "a connection")
    }

    private func connectFailure() -> WarehouseError {
        let said = secrets.masked(String(cString: PQerrorMessage(connection)))
        let isRefused = said.contains("FATAL:") && !Self.passing.contains(where: { said.contains($0) })
        return WarehouseError(
            isRefused ? .refused : .unreachable,
            "warehouse \(settings.name) cannot be reached: \(said)",
            mend: isRefused
                ? "mend the url of warehouses.\(settings.name), or the server's roles and pg_hba.conf"
                : "see that the server runs and that host, port and sslmode are right",
            isTransient: !isRefused
        )
    }

    /// Refusals that pass by themselves.
    private static let passing = [
        "starting up", "shutting down", "recovery mode", "too many clients", "too many connections",
        "remaining connection slots", "not yet accepting connections",
    ]

    // MARK: Waiting

    /// Waits up to a tenth of a second for the socket.
    ///
    /// - Returns: Whether it is ready.
    /// - Throws: `WarehouseError` with `cancelled` once a stop was asked for; the server was told to give up what it does.
    func wait(reading: Bool, writing: Bool) throws(WarehouseError) -> Bool {
        if settings.isCancelled() {
            cancel()
            throw WarehouseError(
                .cancelled,
                "the load was stopped; what was committed stays",
                mend: "run it again to go on"
            )
        }
        var events = Int16(0)
        if reading { events |= Int16(POLLIN) }
        if writing { events |= Int16(POLLOUT) }
        var descriptor = pollfd(fd: PQsocket(connection), events: events, revents: 0)
        return poll(&descriptor, 1, 100) > 0
    }

    /// Tells the server to give up the running statement.
    private func cancel() {
        guard let request = PQgetCancel(connection) else { return }
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(request, &message, Int32(message.count))
        PQfreeCancel(request)
    }

    /// Sends all that libpq holds.
    func flush(_ what: String) throws(WarehouseError) {
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1:
                guard try wait(reading: true, writing: true) else { continue }
                // A server that waits for us to read what it says would never read what we send.
                guard PQconsumeInput(connection) == 1 else { throw lost(what) }
            default: throw lost(what)
            }
        }
    }

    /// The next result of a statement; nil after the last.
    func nextResult(_ what: String) throws(WarehouseError) -> ServerResult? {
        while PQisBusy(connection) == 1 {
            guard try wait(reading: true, writing: false) else { continue }
            guard PQconsumeInput(connection) == 1 else { throw lost(what) }
        }
        return PQgetResult(connection).map(ServerResult.init)
    }

    /// What a connection that is gone leaves to say.
    func lost(_ what: String) -> WarehouseError {
        let said = secrets.masked(String(cString: PQerrorMessage(connection)))
        return WarehouseError(
            .unreachable,
            "the connection to warehouse \(settings.name) was lost in \(what): \(said)",
            mend: "run it again once the server is well: what was not committed is loaded then",
            isTransient: true
        )
    }

    // MARK: Statements

    /// Carries out statements.
    ///
    /// - Parameters:
    ///   - sql: The statements.
    ///   - what: What they are for, in words.
    /// - Returns: The rows of the last one.
    /// - Throws: `WarehouseError`.
    func execute(_ sql: String, of what: String) throws(WarehouseError) -> [[String?]] {
        guard PQsendQuery(connection, sql) == 1 else { throw lost(what) }
        try flush(what)
        var rows: [[String?]] = []
        var failure: WarehouseError?
        while let result = try nextResult(what) {
            if result.isGood { rows = result.rows } else { failure = failure ?? error(of: result, what) }
        }
        if let failure { throw failure }
        return rows
    }

    func error(of result: ServerResult, _ what: String) -> WarehouseError {
        guard PQstatus(connection) != CONNECTION_BAD || result.sqlState != nil else { return lost(what) }
        return result.error(of: settings.name, what, secrets)
    }
}
