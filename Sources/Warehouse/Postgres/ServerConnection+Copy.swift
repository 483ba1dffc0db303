import CPostgres

extension ServerConnection {
    /// Takes the bytes of a COPY.
    struct CopyStream {
        fileprivate let connection: ServerConnection
        fileprivate let what: String

        /// Sends bytes on; returns when libpq has given them to the system.
        func send(_ bytes: UnsafeRawBufferPointer) throws(WarehouseError) {
            let start = bytes.assumingMemoryBound(to: CChar.self).baseAddress
            var status = PQputCopyData(connection.connection, start, Int32(bytes.count))
            while status == 0 {
                try connection.flush(what)
                status = PQputCopyData(connection.connection, start, Int32(bytes.count))
            }
            guard status == 1 else { throw connection.lost(what) }
            try connection.flush(what)
        }
    }

    /// Carries out a COPY FROM STDIN.
    ///
    /// - Parameters:
    ///   - sql: The statement.
    ///   - what: What it is for, in words.
    ///   - body: Sends the data.
    /// - Throws: `WarehouseError`, and what `body` throws; the server has given the COPY up then.
    func copy(_ sql: String, of what: String, _ body: (CopyStream) throws -> Void) throws {
        guard PQsendQuery(connection, sql) == 1 else { throw lost(what) }
        try flush(what)
        guard let start = try nextResult(what) else { throw lost(what) }
        guard start.takesData else {
            let failure = error(of: start, what)
            while try nextResult(what) != nil {}
            throw failure
        }
        do {
            try body(CopyStream(connection: self, what: what))
        } catch {
            // Where the server has said why it does not take more, that is the reason.
            if PQstatus(connection) != CONNECTION_BAD, !settings.isCancelled() {
                try finish("auditlake gave up", what, isExpected: true)
            }
            throw error
        }
        try finish(nil, what)
    }

    private func finish(_ reason: String?, _ what: String, isExpected: Bool = false) throws(WarehouseError) {
        var status = PQputCopyEnd(connection, reason)
        while status == 0 {
            try flush(what)
            status = PQputCopyEnd(connection, reason)
        }
        guard status == 1 else { throw lost(what) }
        try flush(what)
        var failure: WarehouseError?
        while let result = try nextResult(what) {
            if !result.isGood { failure = failure ?? error(of: result, what) }
        }
        if let failure, !isExpected { throw failure }
    }
}
