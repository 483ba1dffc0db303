import Foundation
import Testing

@testable import Query

@Suite struct QueryFormatTests {
    static let statements =
        "create temp table x as select 1 a; select 5 b; select a, null n, 'y,\"z' t from x"

    @Test func tableShowsEveryResultWhole() async throws {
        try await LakeFixture.with { lake async throws in
            let sql =
                "select 5 b; select repeat('w', 300) wide, range long from range(1100); describe select 1 c"
            let text = try await lake.text(sql, over: LakeFixture.scope([]), .table)
            #expect(text.contains("│ int32 │") && text.contains("│     5 │"))
            #expect(text.contains(String(repeating: "w", count: 300)))
            #expect(text.contains(" 1099 │") && text.contains(" 550 │"))
            #expect(text.contains("c integer") && !text.contains("\u{1B}"), "no colours in a file")
        }
    }

    @Test func tableFitsATerminal() async throws {
        try await LakeFixture.with { lake async throws in
            let terminal = try Terminal(columnCount: 93)
            let sql = "select repeat('w', 300) wide, 'end' b"
            let scope = LakeFixture.scope([])
            try await lake.engine.run(
                sql,
                over: scope,
                format: .table,
                to: terminal.output,
                limits: LakeFixture.limits
            )
            let lines = terminal.read().split(whereSeparator: \.isNewline).filter { $0.hasPrefix("│") }
            #expect(!lines.isEmpty && lines.allSatisfy { $0.count == 93 }, "\(lines)")
        }
    }

    @Test func jsonIsOneArrayOfTheLastResult() async throws {
        try await LakeFixture.with { lake async throws in
            let text = try await lake.text(Self.statements, over: LakeFixture.scope([]), .json)
            #expect(text == "[{\"a\":1,\"n\":null,\"t\":\"y,\\\"z\"}]\n")
            #expect(try JSONSerialization.jsonObject(with: Data(text.utf8)) is [Any])
        }
    }

    @Test func csvHasAHeaderAndEmptyFieldsForNull() async throws {
        try await LakeFixture.with { lake async throws in
            let text = try await lake.text(Self.statements, over: LakeFixture.scope([]), .csv)
            #expect(text == "a,n,t\n1,,\"y,\"\"z\"\n")
        }
    }

    @Test func parquetHoldsTheLastResultAndAppearsWhole() async throws {
        try await LakeFixture.with { lake async throws in
            let scope = LakeFixture.scope([])
            let path = lake.folder.appending(path: "out 'x'.parquet").path
            #expect(try await lake.text(Self.statements + " -- end", over: scope, .parquet(path: path)) == "")
            var table = LakeFixture.table("main.s.t", files: [path])
            table.columns = [QueryColumn("a", "INTEGER"), QueryColumn("t", "VARCHAR")]
            #expect(
                try await lake.text("from s.t", over: LakeFixture.scope([table])) == "a,t\n1,\"y,\"\"z\"\n"
            )

            let before = try Data(contentsOf: URL(filePath: path))
            let failing =
                "select case when range = 99999 then error('late') else range end r from range(100000)"
            #expect(try await lake.error(failing, over: scope, .parquet(path: path)).code == .sql)
            #expect(try Data(contentsOf: URL(filePath: path)) == before, "a failed run leaves the old file")
            let names = try FileManager.default.contentsOfDirectory(atPath: lake.folder.path)
            #expect(Set(names) == ["secret.txt", "out 'x'.parquet"], "and nothing beside it")
            let missing = lake.folder.appending(path: "none/out.parquet").path
            #expect(try await lake.error("select 1", over: scope, .parquet(path: missing)).code == .sql)
        }
    }

    @Test func anEngineThatDiesLeavesNoHalfParquetFile() async throws {
        try await LakeFixture.with { lake async throws in
            let dying =
                #"file=$(sed -n "s/.*TO '\(.*partial\)'.*/\1/p"); echo half > "$file" && kill -KILL $$"#
            let fixture = LakeFixture(folder: lake.folder, engine: try lake.standIn(dying))
            let path = lake.folder.appending(path: "out.parquet").path
            let error = try await fixture.error("select 1", over: LakeFixture.scope([]), .parquet(path: path))
            #expect(error.code == .engineCrashed)
            let names = try FileManager.default.contentsOfDirectory(atPath: lake.folder.path)
            #expect(!names.contains { $0.hasPrefix("out.parquet") })
        }
    }
}

/// A pseudo-terminal of a given width.
struct Terminal {
    /// What a program writes to.
    let output: FileHandle
    private let controller: FileHandle

    init(columnCount: UInt16) throws {
        // The C functions for this are not in the Glibc module; these are Linux's TIOCSPTLCK and TIOCGPTN.
        let unlock: UInt = 0x4004_5431
        let numberOf: UInt = 0x8004_5430
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var locked: Int32 = 0
        var number: UInt32 = 0
        try #require(ioctl(master, unlock, &locked) == 0 && ioctl(master, numberOf, &number) == 0)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        var size = winsize(ws_row: 24, ws_col: columnCount, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(slave, UInt(TIOCSWINSZ), &size) == 0)
        self.controller = FileHandle(fileDescriptor: master, closeOnDealloc: true)
        self.output = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
    }

    /// What has been written, as far as one read gives it.
    func read() -> String { String(decoding: controller.availableData, as: UTF8.self) }
}
