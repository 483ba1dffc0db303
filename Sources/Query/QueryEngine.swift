import Foundation

/// Runs SQL over snapshots of the lake's tables, in a DuckDB of its own per query.
///
/// The engine is a child process: a crash, a lack of memory or an endless query ends the child and nothing else. It sees
/// the files of the scope and no other, reads no start-up file, and cannot write but for a Parquet result.
package struct QueryEngine: Sendable {
    /// DuckDB's command line.
    private let executable: String
    /// Where a private folder per query is made; DuckDB spills there.
    let temporaryFolder: String
    /// Where files that are URLs lie.
    private let buckets: [QueryBucket]

    /// Names the program and the folder; neither is looked at before a query runs.
    ///
    /// - Parameters:
    ///   - executable: From ``EngineLocation/find(explicit:executable:environment:)``.
    ///   - temporaryFolder: An existing folder with room for what does not fit the memory limit.
    ///   - buckets: Where files that are URLs lie.
    package init(executable: String, temporaryFolder: String, buckets: [QueryBucket] = []) {
        self.executable = executable
        self.temporaryFolder = temporaryFolder
        self.buckets = buckets
    }

    /// Runs the statements of `sql` in order and writes the result to `output`.
    ///
    /// Tables have the names `catalog.schema.table` and, in the scope's default catalog, `schema.table`. Times are UTC.
    /// The first failing statement ends the run; what earlier ones wrote to `output` stays there. A Parquet file
    /// appears whole under its name or not at all. The child is gone when this returns, also when the task is cancelled.
    ///
    /// - Throws: ``QueryError``.
    package func run(
        _ sql: String,
        over scope: QueryScope,
        format: QueryFormat,
        to output: FileHandle,
        limits: QueryLimits
    ) async throws(QueryError) {
        let statements = try UserSQL(sql, names: scope.names)
        let scope = try scope.directed()
        let httpExtension = buckets.isEmpty ? nil : try EngineLocation.httpExtension(of: executable)
        let folder = try PrivateFolder(in: temporaryFolder)
        let partial = partialOutput(of: format)
        let script = EngineScript(
            scope: scope,
            buckets: buckets,
            httpExtension: httpExtension,
            sql: statements,
            format: format,
            terminalWidth: terminalWidth(of: output),
            limits: limits,
            privateFolder: folder.path,
            partialOutput: partial
        )
        do {
            try await run(script, folder: folder, output: output)
            try finish(format, partial: partial)
        } catch {
            if let partial { unlink(partial) }
            removeQuietly(folder)
            throw error
        }
        removeQuietly(folder)
    }

    private func run(
        _ script: EngineScript,
        folder: PrivateFolder,
        output: FileHandle
    ) async throws(QueryError) {
        let errors = try folder.namelessFile()
        let child = try ChildProcess(
            executable: executable,
            arguments: ["-no-init", "-bail", "-batch"],
            environment: ["HOME": folder.path, "NO_COLOR": "1", "TZ": "UTC", "LANG": "C.UTF-8"],
            streams: ChildProcess.Streams(
                input: try folder.namelessFile(holding: script.text),
                output: output,
                errorOutput: errors
            )
        )
        switch await child.end(timeout: script.limits.timeout) {
        case .exited(0):
            return
        case .exited:
            let text = text(of: errors)
            guard !text.hasPrefix("setpriv: ") else { throw QueryError(.engineMissing, text) }
            throw EngineFailure(text: text, sql: script.sql, scope: script.scope).error
        case .outputFailed(let error) where error != EPIPE:
            throw QueryError(
                .fileSystem,
                "the result cannot be written: \(String(cString: strerror(error)))",
                mend: "make room or choose another place, and run the query again"
            )
        case .signalled(SIGPIPE), .outputFailed:
            throw QueryError(.outputClosed, "the reader of the result went away")
        case .signalled(SIGINT), .signalled(SIGTERM), .cancelled:
            throw QueryError(.interrupted, "the query was interrupted")
        case .signalled(let signal):
            throw QueryError(
                .engineCrashed,
                "DuckDB ended by signal \(signal)",
                mend: "try with a lower memory limit"
            )
        case .timedOut:
            let limit = script.limits.timeout.map { "\($0)" } ?? ""
            let mend = "raise the time limit, or narrow the query by the partition column"
            throw QueryError(.timedOut, "the query took longer than \(limit) and was ended", mend: mend)
        }
    }

    /// The columns of the terminal that `output` is; nil when it is none.
    private func terminalWidth(of output: FileHandle) -> Int? {
        var size = winsize()
        guard isatty(output.fileDescriptor) == 1 else { return nil }
        let isKnown = ioctl(output.fileDescriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return isKnown ? Int(size.ws_col) : 80
    }

    /// At most 64 KiB: an error that is longer holds a query that is longer.
    private func text(of errors: FileHandle) -> String {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(errors.fileDescriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// A name beside the result's, so that the finished file can be renamed.
    private func partialOutput(of format: QueryFormat) -> String? {
        guard case .parquet(let path) = format else { return nil }
        return "\(path).\(UUID().uuidString).partial"
    }

    private func finish(_ format: QueryFormat, partial: String?) throws(QueryError) {
        guard case .parquet(let path) = format, let partial else { return }
        guard rename(partial, path) == 0 else {
            throw QueryError(.fileSystem, "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    /// What cannot be removed from a temporary folder is not worth losing a result or an error for.
    private func removeQuietly(_ folder: PrivateFolder) {
        do { try folder.remove() } catch { return }
    }
}
