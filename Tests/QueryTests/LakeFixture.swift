import Foundation
import Testing

@testable import Query

/// A folder with Parquet files that DuckDB wrote, and the engine over them.
struct LakeFixture {
    /// The folder; holds a file `secret.txt` that no table has.
    let folder: URL
    let engine: QueryEngine

    /// Runs `body` over an empty lake, which is gone afterwards.
    ///
    /// - Parameters:
    ///   - name: Last part of the folder's path, to try odd ones.
    ///   - executable: The engine's program; DuckDB of the checkout unless given.
    ///   - buckets: Where files that are URLs lie.
    ///   - body: What to do in the lake.
    /// - Throws: What `body` throws.
    static func with(
        name: String = "lake",
        engine executable: String? = nil,
        buckets: [QueryBucket] = [],
        _ body: (LakeFixture) async throws -> Void
    ) async throws {
        let path = try executable ?? EngineLocation.find(executable: #filePath, environment: [:])
        let root = FileManager.default.temporaryDirectory.appending(path: "auditlake-\(UUID().uuidString)")
        defer { removeQuietly(root) }
        let folder = root.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("a,b\n1,2\n".utf8).write(to: folder.appending(path: "secret.txt"))
        let fixture = LakeFixture(
            folder: folder,
            engine: QueryEngine(executable: path, temporaryFolder: root.path, buckets: buckets)
        )
        try await body(fixture)
        let left = try FileManager.default.contentsOfDirectory(atPath: root.path)
        #expect(left == [name], "every run removes its private folder")
    }

    /// Writes the result of `sql` as the Parquet file `path` of the lake; returns its absolute path.
    func file(_ path: String, _ sql: String) async throws -> String {
        let file = folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        _ = try await text(sql, over: LakeFixture.scope([]), .parquet(path: file.path))
        return file.path
    }

    /// Runs `sql` and returns what went to the output.
    func text(
        _ sql: String,
        over scope: QueryScope,
        _ format: QueryFormat = .csv,
        limits: QueryLimits = LakeFixture.limits
    ) async throws -> String {
        let file = folder.deletingLastPathComponent().appending(path: "output-\(UUID().uuidString)")
        try Data().write(to: file)
        let output = try FileHandle(forUpdating: file)
        try FileManager.default.removeItem(at: file)
        try await engine.run(sql, over: scope, format: format, to: output, limits: limits)
        try output.seek(toOffset: 0)
        return String(decoding: try output.readToEnd() ?? Data(), as: UTF8.self)
    }

    /// The error that `sql` must end with.
    func error(_ sql: String, over scope: QueryScope, _ format: QueryFormat = .csv) async throws -> QueryError
    {
        let error = await #expect(throws: QueryError.self) { try await text(sql, over: scope, format) }
        return try #require(error)
    }

    static let limits = QueryLimits(memoryByteCount: 500_000_000, threadCount: 1)

    /// A scope whose default catalog is `main`.
    static func scope(_ tables: [QueryTable], views: [DerivedView] = []) -> QueryScope {
        QueryScope(defaultCatalog: "main", tables: tables, views: views)
    }

    /// A table of one BIGINT column `a`.
    static func table(_ name: String, files: [String] = []) -> QueryTable {
        let parts = name.split(separator: ".").map(String.init)
        let fullName = QueryTableName(catalog: parts[0], schema: parts[1], table: parts[2])
        return QueryTable(name: fullName, files: files, columns: [QueryColumn("a", "BIGINT")])
    }
}

/// Removes a test's folder; what cannot be removed hides no failure of the test.
func removeQuietly(_ folder: URL) {
    do { try FileManager.default.removeItem(at: folder) } catch { return }
}
