import Foundation
import Testing

@testable import Query

@Suite struct QueryErrorTests {
    static let scope = LakeFixture.scope([
        LakeFixture.table("main.audit.primary_logs"), LakeFixture.table("main.audit.replica_logs"),
        LakeFixture.table("main.wau.events"), LakeFixture.table("other.audit.gold"),
    ])

    @Test(arguments: [
        ("from audit.primary_log", "audit.primary_log", "main.audit.primary_logs"),
        ("from main.audit.replica", "main.audit.replica", "main.audit.replica_logs"),
        ("from mian.wau.events", "mian.wau.events", "main.wau.events"),
        ("from event", "event", "main.wau.events"),
        ("from wu.events e join audit.primary_logs using (a)", "wu.events", "main.wau.events"),
        ("from other.audit.golf", "other.audit.golf", "other.audit.gold"),
        ("from audit.gold", "audit.gold", "other.audit.gold"),
    ])
    func anUnknownTableListsTheNearest(sql: String, name: String, nearest: String) async throws {
        try await LakeFixture.with { lake async throws in
            let error = try await lake.error(sql, over: Self.scope)
            #expect(error.code == .unknownTable)
            #expect(error.message == "there is no table \(name)")
            #expect(error.mend?.hasPrefix("nearest tables: \(nearest)") == true, "\(error)")
        }
    }

    @Test func withoutTablesTheErrorSaysSo() async throws {
        try await LakeFixture.with { lake async throws in
            let error = try await lake.error("from s.t", over: LakeFixture.scope([]))
            #expect(error.description == "there is no table s.t\n    the lake has no tables yet")
        }
    }

    @Test func theEnginesTextIsPassedOnWithTheUsersNames() async throws {
        try await LakeFixture.with { lake async throws in
            let error = try await lake.error(
                "select b from main.audit.primary_logs where a = 1",
                over: Self.scope
            )
            #expect(error.code == .sql)
            #expect(
                error.message == """
                    Binder Error: Referenced column "b" not found in FROM clause!
                    Candidate bindings: "a"

                    LINE 1: select b from main.audit.primary_logs where a = 1
                                   ^
                    """
            )
            let moved = try await lake.error(
                "select main.audit.primary_logs.a, b from main.audit.primary_logs",
                over: Self.scope
            )
            let lines = moved.message.split(separator: "\n").suffix(2).map(String.init)
            let column = try #require(lines[0].firstRange(of: "b from")?.lowerBound)
            #expect(
                lines[1].count == lines[0].distance(from: lines[0].startIndex, to: column) + 1,
                "the caret is below b"
            )
        }
    }

    @Test func theFirstErrorEndsTheRun() async throws {
        try await LakeFixture.with { lake async throws in
            let file = lake.folder.appending(path: "output")
            try Data().write(to: file)
            let error = await #expect(throws: QueryError.self) {
                try await lake.engine.run(
                    "select 1 one; select bad; select 3 three",
                    over: LakeFixture.scope([]),
                    format: .table,
                    to: try FileHandle(forUpdating: file),
                    limits: LakeFixture.limits
                )
            }
            #expect(error?.message.hasPrefix("Binder Error") == true)
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(text.contains("one") && !text.contains("three"))
        }
    }

    @Test func theMemoryLimitIsHeldAndNamed() async throws {
        try await LakeFixture.with { lake async throws in
            let limits = QueryLimits(memoryByteCount: 20_000_000, threadCount: 1)
            let error = await #expect(throws: QueryError.self) {
                try await lake.text(
                    "select list(range) l from range(9000000)",
                    over: LakeFixture.scope([]),
                    limits: limits
                )
            }
            #expect(error?.code == .outOfMemory)
            #expect(error?.message.contains("\n") == false)
            let settings = "select current_setting('memory_limit') m, current_setting('threads') t"
            let three = QueryLimits(memoryByteCount: 1 << 30, threadCount: 3)
            #expect(
                try await lake.text(settings, over: LakeFixture.scope([]), limits: three)
                    == "m,t\n1.0 GiB,3\n"
            )
        }
    }

    @Test func aMissingFileOfASnapshotIsNamed() async throws {
        try await LakeFixture.with { lake async throws in
            let scope = LakeFixture.scope([LakeFixture.table("main.s.t", files: ["/nonexistent/x.parquet"])])
            let error = try await lake.error("select 1", over: scope)
            #expect(error.message.contains("/nonexistent/x.parquet"))
        }
    }

    @Test func anEngineOrAFolderThatIsNotThereIsNamed() async throws {
        try await LakeFixture.with(engine: "/nonexistent/duckdb") { lake async throws in
            let noEngine = try await lake.error("select 1", over: Self.scope)
            #expect(noEngine.code == .engineMissing)
            let engine = QueryEngine(executable: "/bin/true", temporaryFolder: "/nonexistent")
            let fixture = LakeFixture(folder: lake.folder, engine: engine)
            let noFolder = try await fixture.error("select 1", over: Self.scope)
            #expect(noFolder.code == .fileSystem)
        }
    }
}

@Suite struct EngineLocationTests {
    @Test func placesAreTriedInTheirDocumentedOrder() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "auditlake-\(UUID().uuidString)")
            .path
        defer { removeQuietly(URL(filePath: root)) }
        func program(_ path: String) throws -> String {
            let file = URL(filePath: "\(root)/\(path)")
            let folder = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data().write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
            return file.path
        }
        func find(_ environment: [String: String], explicit: String? = nil) throws -> String {
            try EngineLocation.find(
                explicit: explicit,
                executable: "\(root)/x/bin/auditlake",
                environment: environment
            )
        }
        let path = ["PATH": "/nonexistent:\(root)/path"]
        #expect(throws: QueryError.self) { try find([:]) }
        let onPath = try program("path/duckdb")
        #expect(try find(path) == onPath)
        let checkout = try program(".arrow/bin/duckdb")
        #expect(try find(path) == checkout)
        _ = try program("x/bin/auditlake")
        _ = try program("x/lib/duckdb")
        #expect(try find(path) == "\(root)/x/bin/../lib/duckdb")
        let variable = try program("variable")
        #expect(try find(path.merging(["AUDITLAKE_DUCKDB": variable]) { $1 }) == variable)
        #expect(try find(["AUDITLAKE_DUCKDB": "/nonexistent"], explicit: variable) == variable)
        let error = #expect(throws: QueryError.self) { try find(["AUDITLAKE_DUCKDB": root]) }
        #expect(error?.code == .engineMissing)
    }
}
