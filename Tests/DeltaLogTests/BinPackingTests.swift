import SeededRandom
import Testing

@testable import DeltaLog

@Suite struct BinPackingTests {
    private static func file(_ index: Int, size: Int64, day: Int = 0) -> BinPacking.File {
        BinPacking.File(
            path: DataFilePath("\(index)"),
            size: size,
            modificationTime: Int64(index),
            partitionValues: ["date": "\(day)"],
            recordCount: 1
        )
    }

    /// A table that merges whenever its policy says so.
    private struct Table {
        let packing: BinPacking
        var files: [BinPacking.File] = []
        var next = 0
        var rewritten: Int64 = 0
        var generations: [DataFilePath: Int] = [:]

        mutating func append(size: Int64, day: Int = 0) {
            files.append(BinPackingTests.file(next, size: size, day: day))
            next += 1
            for group in packing.groups(files) {
                merge(group)
            }
        }

        private mutating func merge(_ group: BinPacking.Group) {
            let gone = Set(group.files.map(\.path))
            files.removeAll { gone.contains($0.path) }
            var merged = group.files[0]
            merged.path = DataFilePath("\(next)")
            next += 1
            merged.size = group.size
            merged.recordCount = group.recordCount
            files.append(merged)
            rewritten += group.size
            generations[merged.path] = 1 + (gone.map { generations[$0] ?? 0 }.max() ?? 0)
        }
    }

    @Test func aTableWithinTheLimitIsLeftAlone() {
        let files = (0..<1_000).map { Self.file($0, size: 10) }
        #expect(BinPacking().groups(files).isEmpty)
        #expect(!BinPacking().groups(files + [Self.file(1_000, size: 10)]).isEmpty)
    }

    @Test func groupsHoldSmallFilesOfOnePartitionByAge() {
        let packing = BinPacking(fileLimit: 10, target: 100)
        let files = (0..<16).map { Self.file($0, size: $0 < 2 ? 60 : 5, day: $0 % 2) }
        let groups = packing.groups(files.shuffled())
        #expect(Set(groups.map(\.files.count)) == [7])
        for group in groups {
            #expect(Set(group.files.map(\.partitionValues)).count == 1)
            #expect(group.files.map(\.modificationTime) == group.files.map(\.modificationTime).sorted())
            #expect(group.files.allSatisfy { $0.size < 50 })
            #expect(group.size == 35)
            #expect(group.recordCount == 7)
        }
    }

    @Test func theChoiceDoesNotDependOnTheOrderOfTheListing() {
        var random = SeededGenerator(seed: 3)
        let packing = BinPacking(fileLimit: 20, target: 1_000)
        let files = (0..<60).map { Self.file($0, size: Int64($0 * 37 % 90 + 1), day: $0 % 3) }
        let groups = packing.groups(files)
        for _ in 0..<20 {
            #expect(packing.groups(files.shuffled(using: &random)) == groups)
        }
    }

    @Test(arguments: [1, 3])
    func tenThousandAppendsStayWithinTheLimitAtLogarithmicCost(partitions: Int) {
        var random = SeededGenerator(seed: 7)
        var table = Table(packing: BinPacking(fileLimit: 100, target: 1 << 20))
        var total: Int64 = 0
        var costs: [Int64] = []
        for run in 0..<10_000 {
            let size = Int64.random(in: 1_000...4_000, using: &random)
            total += size
            let before = table.rewritten
            table.append(size: size, day: run % partitions)
            costs.append(table.rewritten - before)
            #expect(table.files.count <= 100)
        }
        #expect(table.files.reduce(0) { $0 + $1.size } == total)
        #expect(table.files.reduce(0) { $0 + ($1.recordCount ?? 0) } == 10_000)
        // log2 of the largest file over the smallest appended.
        #expect((table.generations.values.max() ?? 0) <= 12)
        #expect(table.rewritten < total * 8)
        let quarter = costs.count / 4
        let early = costs[quarter..<(2 * quarter)].reduce(0, +)
        let late = costs[(3 * quarter)...].reduce(0, +)
        #expect(late < 3 * early, "\(early) \(late)")
    }

    @Test func aRewriteAtLeastDoublesTheLargestFile() {
        let packing = BinPacking(fileLimit: 4, target: 1 << 20)
        let chain = (0..<12).map { Self.file($0, size: 1 << Int64($0)) }
        #expect(packing.groups(chain).isEmpty)
        let groups = packing.groups(chain + [Self.file(12, size: 1)])
        #expect(groups.count == 1)
        #expect(groups.allSatisfy { group in group.files.allSatisfy { 2 * $0.size <= group.size } })
    }

    @Test func aTableLargerThanItsLimitOfFullFilesGetsLargerFiles() {
        let packing = BinPacking(fileLimit: 10, target: 100)
        let groups = packing.groups((0..<40).map { Self.file($0, size: 60) })
        #expect(40 - groups.reduce(0) { $0 + $1.files.count - 1 } <= 10)
    }
}
