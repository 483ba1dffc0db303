import Foundation

/// Finds DuckDB's command line.
package enum EngineLocation {
    /// Finds the program: the first of these that is an executable file.
    ///
    /// 1. `explicit`, or else the variable `AUDITLAKE_DUCKDB`: when one of them is given, no other place is looked at;
    /// 2. `../lib/duckdb` beside the folder of `executable`, where an installation has it;
    /// 3. `.arrow/bin/duckdb` in a folder above `executable`, where a checkout has it;
    /// 4. `duckdb` in a folder of the variable `PATH`.
    ///
    /// - Parameters:
    ///   - explicit: A path that the caller was given; nil when there is none.
    ///   - executable: Absolute path of the running program.
    ///   - environment: The variables of the process.
    /// - Returns: A path that can be run.
    /// - Throws: ``QueryError`` with code `engineMissing`.
    package static func find(
        explicit: String? = nil,
        executable: String,
        environment: [String: String]
    ) throws(QueryError) -> String {
        if let given = explicit ?? environment["AUDITLAKE_DUCKDB"] {
            if isExecutableFile(given) { return given }
            let mend = "correct the path, or unset AUDITLAKE_DUCKDB"
            throw QueryError(.engineMissing, "\(given) is not an executable file", mend: mend)
        }
        let folders = ancestors(of: executable)
        let places =
            folders.prefix(1).map { "\($0)/../lib/duckdb" }
            + folders.map { "\($0)/.arrow/bin/duckdb" }
            + (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/duckdb" }
        if let place = places.first(where: isExecutableFile) { return place }
        let mend = "run Scripts/bootstrap, or name DuckDB's command line with AUDITLAKE_DUCKDB"
        throw QueryError(.engineMissing, "DuckDB is not to be found", mend: mend)
    }

    /// DuckDB's extension for files behind URLs, which lies beside its command line and is of the same release.
    ///
    /// - Throws: ``QueryError`` with code `engineMissing`.
    static func httpExtension(of executable: String) throws(QueryError) -> String {
        let folder = URL(fileURLWithPath: executable).resolvingSymlinksInPath().deletingLastPathComponent()
            .path
        let beside = URL(fileURLWithPath: executable).deletingLastPathComponent().path
        let places = [beside, folder].map { "\($0)/httpfs.duckdb_extension" }
        if let place = places.first(where: FileManager.default.fileExists(atPath:)) { return place }
        let mend =
            "run Scripts/bootstrap, or put httpfs.duckdb_extension of DuckDB's release beside its command line"
        throw QueryError(.engineMissing, "DuckDB's extension httpfs is not beside \(executable)", mend: mend)
    }

    /// The folders above `path`, nearest first.
    private static func ancestors(of path: String) -> [String] {
        var steps = path.split(separator: "/")
        var folders: [String] = []
        while steps.popLast() != nil { folders.append(steps.map { "/\($0)" }.joined()) }
        return folders
    }

    private static func isExecutableFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return exists && !isFolder.boolValue && FileManager.default.isExecutableFile(atPath: path)
    }
}
