import BatchProtocol
import Testing

@Suite struct IntakeStateTests {
    private func plan(_ batch: UInt64, _ files: [TrackedFile]) -> BatchPlan {
        Sample.plan(batch, ranges: files.map { SourceRange(file: $0, from: 0, hash: "") })
    }

    @Test("files are kept in order of first sight")
    func newFiles() {
        var state = IntakeState()
        state.apply(plan(1, [Sample.file(id: "1-0"), Sample.file(id: "1-1")]))
        state.apply(plan(2, [Sample.file(id: "2-0"), Sample.file(id: "1-0", offset: 200)]))
        #expect(state.files.map(\.id) == ["1-0", "1-1", "2-0"])
        #expect(state.files.map(\.offset) == [200, 100, 100])
    }

    @Test("a file that was renamed takes its new path and stays one file")
    func renamed() {
        var state = IntakeState(files: [Sample.file(path: "/log/a.csv")])
        state.apply(plan(2, [Sample.file(path: "/log/a.csv.1", offset: 150)]))
        #expect(state.files == [Sample.file(path: "/log/a.csv.1", offset: 150)])
    }

    @Test("of two ranges of a file in one batch the later counts")
    func twice() {
        var state = IntakeState()
        state.apply(plan(1, [Sample.file(offset: 10), Sample.file(offset: 20)]))
        #expect(state.files.map(\.offset) == [20])
    }

    @Test("a batch without ranges changes nothing")
    func nothing() {
        var state = IntakeState(files: [Sample.file()])
        state.apply(plan(2, []))
        #expect(state == IntakeState(files: [Sample.file()]))
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
}
