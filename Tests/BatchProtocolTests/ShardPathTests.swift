import BatchProtocol
import Testing

@Suite struct ShardPathTests {
    @Test("objects of a shard lie below the lake's own folder")
    func names() {
        let path = ShardPath(pipeline: "pg", shard: 2)
        #expect(path.identity == "_auditlake/pg/2/shard.json")
        #expect(path.head == "_auditlake/pg/2/head.json")
        #expect(path.plan(7) == "_auditlake/pg/2/plans/00000000000000000007.json")
        #expect(path.receipt(7) == "_auditlake/pg/2/receipts/00000000000000000007.json")
        #expect(path.state(64) == "_auditlake/pg/2/state/00000000000000000064.json")
    }

    @Test("names sort as the batches do, up to the greatest number")
    func order() {
        let path = ShardPath(pipeline: "pg", shard: 0)
        let names = [1, 9, 10, 99, 100, UInt64.max].map(path.plan)
        #expect(names == names.sorted())
        #expect(Set(names.map(\.count)).count == 1)
        #expect(names.allSatisfy { $0.hasPrefix(path.plans + "/") })
    }
}
