import BatchProtocol
import Testing

/// All schedules and crashes of simulated processes; capitals go to two tables, small letters to one.
@Suite struct ExactlyOnceTests {
    @Test(
        "one process that crashes anywhere, any number of times, writes every row once",
        arguments: [["AbCd"], ["ab", "CD"], ["A", "b", "C"], ["abc"], ["A", "b", "c", "D"]]
    )
    func oneProcess(pieces: [String]) throws {
        let explorer = Explorer(World(pieces), drivers: [Driver(bytesPerBatch: 2)])
        #expect(explorer.violation == nil)
        #expect(explorer.endCount > 0)
    }

    @Test("three batches of one process, the second without a row in the second table")
    func threeBatches() throws {
        let explorer = Explorer(World(["AbcdEf"]), drivers: [Driver(bytesPerBatch: 2)])
        #expect(explorer.violation == nil)
        #expect(explorer.endCount > 0)
    }

    @Test(
        "two processes interleaved and crashing in every way write every row once",
        arguments: [["AbC"], ["abCd"], ["A", "bC"], ["aB", "c"], ["ABcdeF"]]
    )
    func twoProcesses(pieces: [String]) throws {
        let drivers = [Driver(bytesPerBatch: 2), Driver(bytesPerBatch: 3)]
        let explorer = Explorer(World(pieces), drivers: drivers)
        #expect(explorer.violation == nil)
        #expect(explorer.endCount > 0)
    }

    @Test("three processes interleaved and crashing in every way write every row once")
    func threeProcesses() throws {
        let explorer = Explorer(World(["B"]), drivers: [1, 2, 3].map { Driver(bytesPerBatch: $0) })
        #expect(explorer.violation == nil)
        #expect(explorer.endCount > 0)
    }

    @Test("a table that ignores txn is caught")
    func tableIgnoresTransaction() throws {
        let world = World(["Ab"], defect: .tableIgnoresTransaction)
        let explorer = Explorer(world, drivers: [Driver(bytesPerBatch: 2)])
        #expect(explorer.violation?.what.contains("holds") == true)
    }

    @Test("every defect of the surroundings is caught", arguments: Defect.allCases)
    func defects(defect: Defect) throws {
        let world = World(["AbCD"], defect: defect)
        let explorer = Explorer(world, drivers: [Driver(bytesPerBatch: 2), Driver(bytesPerBatch: 3)])
        #expect(explorer.violation != nil)
    }
}
