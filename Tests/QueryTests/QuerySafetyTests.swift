import Foundation
import Testing

@testable import Query

@Suite struct QuerySafetyTests {
    @Test func aQueryWritesNothingAndReadsNoOtherFile() async throws {
        try await LakeFixture.with { lake async throws in
            let file = try await lake.file("t.parquet", "select 1 a")
            let before = try Data(contentsOf: URL(filePath: file))
            let scope = LakeFixture.scope([LakeFixture.table("main.s.t", files: [file])])
            let folder = lake.folder.path
            for sql in [
                "copy (select 9 a) to '\(file)' (use_tmp_file false)",
                "copy (select 9 a) to '\(folder)/x.csv'",
                "export database '\(folder)/x'", "attach '\(folder)/x.db'",
                "from read_csv('\(folder)/secret.txt')",
                "from '\(folder)/secret.txt'", "from glob('\(folder)/*')", "select getenv('HOME')",
                "install httpfs",
                "load '\(folder)/secret.txt'", "set enable_external_access = true",
                "set allowed_directories = ['/']",
                "set memory_limit = '99GB'", "set temp_directory = '\(folder)'", "reset lock_configuration",
                "pragma profiling_output = '\(folder)/x'", "create persistent secret s (type s3)",
                "call enable_logging(storage = 'file', storage_path = '\(folder)/x')",
                "import database '\(folder)'",
            ] {
                let error = try await lake.error(sql, over: scope)
                #expect([.sql, .writeRefused, .unknownTable].contains(error.code), "\(sql): \(error)")
            }
            #expect(try Data(contentsOf: URL(filePath: file)) == before)
            #expect(
                Set(try FileManager.default.contentsOfDirectory(atPath: folder)) == [
                    "secret.txt", "t.parquet",
                ]
            )
        }
    }

    @Test func anEndlessQueryIsEndedAtTheLimit() async throws {
        try await LakeFixture.with { lake async throws in
            let limits = QueryLimits(memoryByteCount: 100_000_000, timeout: .milliseconds(1), threadCount: 1)
            let error = await #expect(throws: QueryError.self) {
                try await lake.text(endless, over: LakeFixture.scope([]), limits: limits)
            }
            #expect(error?.code == .timedOut)
            #expect(error?.canRetry == true)
            #expect(error?.message == "the query took longer than 0.001 seconds and was ended")
        }
    }

    @Test func aCancelledTaskEndsTheChild() async throws {
        try await LakeFixture.with(engine: "/bin/sh") { lake async throws in
            // A stand-in that tells its number and then waits for ever.
            let script = try lake.standIn("echo $$; exec tail -f /dev/null")
            let pipe = Pipe()
            let running = Task {
                try await script.run(
                    "select 1",
                    over: LakeFixture.scope([]),
                    format: .csv,
                    to: pipe.fileHandleForWriting,
                    limits: LakeFixture.limits
                )
            }
            let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
            let child = try #require(pid_t(line.filter(\.isNumber)))
            running.cancel()
            let error = await #expect(throws: QueryError.self) { try await running.value }
            #expect(error?.code == .interrupted)
            #expect(kill(child, 0) == -1 && errno == ESRCH, "the child is gone and reaped")
        }
    }

    @Test func aResultThatCannotBeWrittenIsAnError() async throws {
        try await LakeFixture.with { lake async throws in
            let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
            for sql in ["select 1", "select * from range(1000000000)"] {
                let error = await #expect(throws: QueryError.self) {
                    try await lake.engine.run(
                        sql,
                        over: LakeFixture.scope([]),
                        format: .csv,
                        to: full,
                        limits: LakeFixture.limits
                    )
                }
                #expect(error?.code == .fileSystem)
                #expect(error?.message == "the result cannot be written: No space left on device")
            }
        }
    }

    @Test func aReaderThatWentAwayEndsTheQuery() async throws {
        try await LakeFixture.with { lake async throws in
            let pipe = Pipe()
            try pipe.fileHandleForReading.close()
            let error = await #expect(throws: QueryError.self) {
                try await lake.engine.run(
                    "select * from range(1000000000)",
                    over: LakeFixture.scope([]),
                    format: .csv,
                    to: pipe.fileHandleForWriting,
                    limits: LakeFixture.limits
                )
            }
            #expect(error?.code == .outputClosed)
        }
    }

    @Test func aReaderThatDoesNotReadHoldsTheQueryNoLongerThanItsLimit() async throws {
        try await LakeFixture.with { lake async throws in
            let pipe = Pipe()
            let limits = QueryLimits(memoryByteCount: 100_000_000, timeout: .seconds(1), threadCount: 1)
            let error = await #expect(throws: QueryError.self) {
                // More than the pipes hold, and less than the engine would have to wait for.
                try await lake.engine.run(
                    "select repeat('x', 100000)",
                    over: LakeFixture.scope([]),
                    format: .csv,
                    to: pipe.fileHandleForWriting,
                    limits: limits
                )
            }
            #expect(error?.code == .timedOut)
            try pipe.fileHandleForReading.close()
        }
    }

    @Test func theChildGetsTheTerminalsInterruptAndNothingElseOfOurs() async throws {
        try await LakeFixture.with { lake async throws in
            let inherited = open(lake.folder.appending(path: "secret.txt").path, O_RDONLY)
            defer { close(inherited) }
            let facts = """
                echo "arguments $*"; echo "group $(cut -d' ' -f5 /proc/$$/stat)"; env | sort; ls -l /proc/$$/fd
                """
            let file = lake.folder.appending(path: "facts")
            try Data().write(to: file)
            let output = try FileHandle(forUpdating: file)
            try await lake.standIn(facts).run(
                "select 'hunter2'",
                over: LakeFixture.scope([]),
                format: .csv,
                to: output,
                limits: LakeFixture.limits
            )
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(
                text.contains("arguments -no-init -bail -batch\n"),
                "no start-up file, and no SQL for others to see"
            )
            #expect(text.contains("group \(getpgrp())\n"), "Ctrl-C reaches the child")
            #expect(!text.contains("secret.txt"), "no descriptor of ours")
            let variables = text.split(separator: "\n").compactMap { $0.wholeMatch(of: /([A-Z_]+)=.*/)?.1 }
            #expect(variables == ["HOME", "LANG", "NO_COLOR", "PWD", "TZ"], "no variable of ours")
            #expect(text.contains("HOME=\(lake.folder.deletingLastPathComponent().path)/auditlake-query-"))
        }
    }

    @Test func theScriptIsForThisUserAloneAndHasNoName() async throws {
        try await LakeFixture.with { lake async throws in
            let facts =
                "stat -L -c %a /proc/$$/fd/0; stat -L -c %h /proc/$$/fd/0; stat -c %a $HOME; ls -A $HOME"
            let file = lake.folder.appending(path: "facts")
            try Data().write(to: file)
            try await lake.standIn(facts).run(
                "select 1",
                over: LakeFixture.scope([]),
                format: .csv,
                to: try FileHandle(forUpdating: file),
                limits: LakeFixture.limits
            )
            #expect(try String(contentsOf: file, encoding: .utf8) == "600\n0\n700\n")
        }
    }

    @Test(arguments: [
        ("kill -SEGV $$", QueryError.Code.engineCrashed), ("kill -PIPE $$", .outputClosed),
        ("kill -INT $$", .interrupted),
        ("echo 'INTERRUPT Error: Interrupted!' >&2; exit 1", .interrupted), ("exit 1", .sql),
    ])
    func theWayTheChildEndsDecidesTheError(script: String, code: QueryError.Code) async throws {
        try await LakeFixture.with { lake async throws in
            let engine = try lake.standIn(script)
            let fixture = LakeFixture(folder: lake.folder, engine: engine)
            #expect(try await fixture.error("select 1", over: LakeFixture.scope([])).code == code)
        }
    }
}

/// A query that no machine finishes, and that keeps no rows meanwhile.
private let endless = "select count(*) from range(1000000000000000) where range % 7 = 8"

extension LakeFixture {
    /// An engine whose program is a shell script.
    func standIn(_ script: String) throws -> QueryEngine {
        let path = folder.appending(path: "engine-\(UUID().uuidString)").path
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return QueryEngine(executable: path, temporaryFolder: folder.deletingLastPathComponent().path)
    }
}
