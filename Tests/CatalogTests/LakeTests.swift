import Catalog
import DeltaLog
import DeltaTables
import Foundation
import ObjectStorage
import Testing

@Suite struct LakeTests {
    /// Runs `body` over an empty folder, which is gone afterwards.
    private func withLake(_ body: (Lake) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "catalog-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(Lake(store: LocalStore(root: folder.path)))
    }

    private func put(_ lake: Lake, _ key: String, _ text: String) throws {
        try #require(try lake.store.putIfAbsent(key, Array(text.utf8)))
    }

    private func name(_ text: String) throws -> TableName {
        try #require(TableName(text, defaultCatalog: "main"))
    }

    private func createTable(_ lake: Lake, _ text: String) throws {
        let metadata = TableMetadata(
            id: "id of \(text)",
            schema: TableSchema([]),
            partitionColumns: [],
            createdTime: 1
        )
        let folder = try name(text).folder
        _ = try DeltaTable.create(store: lake.store, folder: folder, metadata: metadata, now: 1)
    }

    // MARK: Format

    @Test func noneIsBegunWhereOneMustHaveBeen() throws {
        struct Known: Error {}
        try withLake { lake in
            var known = lake
            known.demandNew = { throw Known() }
            #expect(throws: Known.self) { try known.open() }
            #expect(try lake.openForReading() == false)
            try lake.open()
            #expect(throws: Never.self) { try known.open() }
        }
    }

    @Test func firstOpeningWritesTheFormat() throws {
        try withLake { lake in
            #expect(try lake.openForReading() == false)
            #expect(try lake.store.exists("_auditlake/format.json") == false, "reading writes nothing")
            try lake.open()
            #expect(try lake.store.read("_auditlake/format.json") == Array("{\"format\":1}".utf8))
            try lake.open()
            #expect(try lake.openForReading())
        }
    }

    @Test(arguments: [
        ("{\"format\":2}", Lake.LakeError.Code.newerFormat), ("{\"format\":99,\"x\":1}", .newerFormat),
        ("", .damaged), ("{\"form", .damaged), ("[]", .damaged), ("{\"format\":\"1\"}", .damaged),
    ])
    func formatThatThisReleaseDoesNotKnowIsRefused(_ text: String, _ code: Lake.LakeError.Code) throws {
        try withLake { lake in
            try put(lake, "_auditlake/format.json", text)
            for attempt in [{ try lake.open() }, { _ = try lake.openForReading() }] {
                let error = #expect(throws: Lake.LakeError.self, performing: attempt)
                #expect(error?.code == code)
                #expect(error?.mend.isEmpty == false)
            }
            #expect(try lake.store.read("_auditlake/format.json") == Array(text.utf8))
        }
    }

    // MARK: Names

    @Test func nameIsClaimedWithoutRegardToCase() throws {
        try withLake { lake in
            #expect(try !lake.hasClaimed(try name("main.audit.logs")))
            try lake.claim(try name("main.audit.Logs"))
            try lake.claim(try name("main.audit.Logs"))
            #expect(try lake.hasClaimed(try name("main.audit.Logs")))
            for other in ["main.audit.logs", "main.AUDIT.Logs", "MAIN.audit.Logs"] {
                let error = #expect(throws: Lake.LakeError.self) { try lake.claim(try name(other)) }
                #expect(throws: Lake.LakeError.self) { try lake.hasClaimed(try name(other)) }
                #expect(error?.code == .nameTaken)
                #expect(error?.description.contains("main.audit.Logs") == true)
                #expect(error?.mend.contains("main.audit.Logs") == true)
            }
            try lake.claim(try name("main.audit.logs2"))
        }
    }

    @Test func claimThatCannotBeReadIsRefused() throws {
        try withLake { lake in
            try put(lake, "_auditlake/names/main.audit.logs", "{")
            let error = #expect(throws: Lake.LakeError.self) { try lake.claim(try name("main.audit.logs")) }
            #expect(error?.code == .damaged)
        }
    }

    // MARK: Tables

    @Test func tablesAreListedByName() throws {
        try withLake { lake in
            try lake.open()
            let names = ["main.a.t2", "main.a.t1", "other.b.t", "main._auditlake.quarantine_pg"]
            for name in names { try createTable(lake, name) }
            #expect(try lake.tables().map(\.description) == names.sorted())
        }
    }

    @Test func whatIsNoTableIsNotListed() throws {
        try withLake { lake in
            #expect(try lake.tables().isEmpty)
            try put(lake, "_auditlake/pg/plans/_delta_log/x", "a plan, not a table")
            try put(lake, "main/a/no_table/part-0.parquet", "no log")
            try put(lake, "main/a/file", "no folder")
            try put(lake, "main/.hidden/t/_delta_log/0", "hidden")
            try put(lake, "file", "no catalog")
            #expect(try lake.tables().isEmpty)
            #expect(try lake.table(try name("main.a.no_table")) == nil)
        }
    }

    @Test func logThatCannotBeReadIsDamage() throws {
        try withLake { lake in
            try put(lake, "main/a/t/_delta_log/00000000000000000000.json", "{")
            let error = #expect(throws: Lake.LakeError.self) { try lake.table(try name("a.t")) }
            #expect(error?.code == .damaged)
            #expect(error?.description.contains("main.a.t") == true)
        }
    }

    @Test func tableIsOpenedByItsName() throws {
        try withLake { lake in
            try createTable(lake, "main.a.t")
            #expect(try lake.table(try name("a.t"))?.head.metadata.id == "id of main.a.t")
            #expect(try lake.table(try name("a.u")) == nil)
        }
    }
}
