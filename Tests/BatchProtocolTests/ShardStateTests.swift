import BatchProtocol
import Foundation
import Testing

@Suite struct ShardStateTests {
    private func plan(_ batch: UInt64, _ files: [TrackedFile]) -> BatchPlan {
        Sample.plan(batch, ranges: files.map { SourceRange(file: $0, from: 0, hash: "") })
    }

    @Test("files are kept in order of first sight")
    func newFiles() {
        var state = ShardState()
        state.apply(plan(1, [Sample.file(id: "1-0"), Sample.file(id: "1-1")]))
        state.apply(plan(2, [Sample.file(id: "2-0"), Sample.file(id: "1-0", offset: 200)]))
        #expect(state.files.map(\.id) == ["1-0", "1-1", "2-0"])
        #expect(state.files.map(\.offset) == [200, 100, 100])
    }

    @Test("a file that was renamed takes its new path and stays one file")
    func renamed() {
        var state = ShardState(files: [Sample.file(path: "/log/a.csv")])
        state.apply(plan(2, [Sample.file(path: "/log/a.csv.1", offset: 150)]))
        #expect(state.files == [Sample.file(path: "/log/a.csv.1", offset: 150)])
    }

    @Test("of two ranges of a file in one batch the later counts")
    func twice() {
        var state = ShardState()
        state.apply(plan(1, [Sample.file(offset: 10), Sample.file(offset: 20)]))
        #expect(state.files.map(\.offset) == [20])
    }

    @Test("a batch without ranges changes nothing")
    func nothing() {
        var state = ShardState(files: [Sample.file()])
        state.apply(plan(2, []))
        #expect(state == ShardState(files: [Sample.file()]))
    }

    @Test("a range's length is that of its bytes and a plan's that of all ranges")
    func byteCounts() {
        let ranges = [
            SourceRange(file: Sample.file(offset: 100), from: 40, hash: ""),
            SourceRange(file: Sample.file(offset: 7), from: 7, hash: ""),
        ]
        #expect(ranges.map(\.byteCount) == [60, 0])
        #expect(Sample.plan(1, ranges: ranges).byteCount == 60)
    }

    @Test("objects are kept beside the files, and count as bytes of the plan")
    func objects() {
        var state = ShardState(files: [Sample.file()])
        var batch = plan(2, [])
        batch.objects = [Sample.object("/a", from: 4, to: 10), Sample.object("/b", to: 7)]
        state.apply(batch)
        #expect(state.files == [Sample.file()])
        #expect(state.objects.count == 2 && state.objects.find("/a")?.to == 10)
        #expect(batch.byteCount == 13)
    }

    @Test("objects are forgotten behind what the batch has read, the same from plans and from a snapshot")
    func forgottenObjects() throws {
        let day: Int64 = 86_400_000_000
        let plans = (0..<10 as Range<Int64>).map { number in
            var batch = plan(UInt64(number + 1), [])
            batch.objects = [Sample.object("/\(number)", to: 7, modified: (20_000 + number) * day)]
            batch.firstDay = number < 3 ? nil : 20_000 + number - 2
            return batch
        }
        var state = ShardState()
        for (index, plan) in plans.enumerated() {
            state.apply(plan)
            var again = try JSONDecoder().decode(ShardState.self, from: JSONEncoder().encode(state))
            #expect(again == state)
            for later in plans[(index + 1)...] { again.apply(later) }
            var whole = ShardState()
            for plan in plans { whole.apply(plan) }
            #expect(again == whole)
        }
        #expect(
            state.objects.count == 3 && state.objects.find("/6") == nil && state.objects.find("/7") != nil
        )
    }

    @Test("a forgotten file is gone, also when the same batch read it")
    func forgotten() {
        var state = ShardState(files: [Sample.file(id: "1-0"), Sample.file(id: "1-1")])
        var batch = plan(2, [Sample.file(id: "2-0")])
        batch.forgotten = ["1-0", "2-0"]
        state.apply(batch)
        #expect(state.files.map(\.id) == ["1-1"])
    }

    @Test("values are set, replaced and dropped in order")
    func values() {
        var state = ShardState(values: ["kept": "1", "dropped": "2"])
        var batch = plan(1, [])
        batch.stateChanges = [
            StateChange(key: "new", value: "3"), StateChange(key: "dropped", value: nil),
            StateChange(key: "new", value: "4"),
        ]
        state.apply(batch)
        #expect(state.values == ["kept": "1", "new": "4"])
    }

    @Test("a file is forgotten when it vanished long ago, whenever it was read")
    func vanishedLongAgo() {
        let state = ShardState(files: ["old", "young", "here"].map { Sample.file(id: $0) })
        let since: [String: Int64] = ["old": 100, "young": 101]
        #expect(state.forgettable(absentSince: since, plannedAt: 200, after: 99) == ["old"])
        #expect(state.forgettable(absentSince: since, plannedAt: 200, after: 98) == ["old", "young"])
        #expect(state.forgettable(absentSince: [:], plannedAt: 1_000, after: 1).isEmpty)
    }

    @Test("of too many files the oldest that vanished are forgotten")
    func tooManyFiles() {
        let files = (0..<ShardState.fileLimit + 2).map { Sample.file(id: "1-\($0)") }
        let state = ShardState(files: files)
        let since: [String: Int64] = ["1-9": 0, "1-7": 0, "1-11": 0, "1-4": 0]
        #expect(state.forgettable(absentSince: since, plannedAt: 0, after: 0) == ["1-4", "1-7"])
    }
}
