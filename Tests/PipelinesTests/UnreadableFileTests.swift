import Foundation
import Glibc
import ObjectStorage
import Pipelines
import Testing

/// A file without rights beside readable ones.
@Suite struct UnreadableFileTests {
    private typealias Fixture = PipelineFixture

    /// Runs `body` on this thread, and threads that it starts, as a user for whom rights count; root has them all.
    private func withoutPrivilege<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard geteuid() == 0 else { return try body() }
        // The Glibc module leaves <sys/fsuid.h> out.
        typealias SetUser = @convention(c) (uid_t) -> CInt
        let setUser = unsafeBitCast(dlsym(nil, "setfsuid"), to: SetUser.self)
        _ = setUser(65_534)
        defer { _ = setUser(0) }
        return try body()
    }

    private func setRights(_ rights: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: rights], ofItemAtPath: path)
    }

    @Test func theOthersAreLoadedAndTheRunFails() throws {
        try Fixture.with { lake in
            for folder in ["", "/graves"] { try setRights(0o777, lake.root + folder) }
            try lake.append(Fixture.records(1...3), to: "a.csv")
            let hidden = Fixture.records(1...4, session: "6b01.b")
            try lake.append(hidden, to: "b.csv")
            let last = Fixture.records(1...2, session: "6b01.c")
            try lake.append(last, to: "c.csv")
            try setRights(0, lake.logPath("b.csv"))

            let error = #expect(throws: StorageError.self) { try withoutPrivilege { try lake.run() } }
            #expect(error?.code == .permissionDenied)
            #expect(error?.path == lake.logPath("b.csv"))
            try lake.expectExact(records: Fixture.records(1...3) + last)

            try setRights(0o644, lake.logPath("b.csv"))
            try withoutPrivilege { _ = try lake.run() }
            try lake.expectExact(records: Fixture.records(1...3) + last + hidden)
        }
    }

    @Test func nothingIsPassedOverByALateStart() throws {
        try Fixture.with { lake in
            for folder in ["", "/graves"] { try setRights(0o777, lake.root + folder) }
            lake.settings.start = .latest
            try lake.append(Fixture.records(1...3), to: "a.csv")
            try setRights(0, lake.logPath("a.csv"))
            #expect(throws: StorageError.self) { try withoutPrivilege { try lake.run() } }
            try setRights(0o644, lake.logPath("a.csv"))
            #expect(try withoutPrivilege { try lake.run() }.rows == 0)
            try lake.append(Fixture.records(4...4), to: "a.csv")
            #expect(try withoutPrivilege { try lake.run() }.rows == 1)
        }
    }
}
