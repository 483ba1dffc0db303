import Pipelines
import Testing

/// The room that a source's bytes are read into.
@Suite struct InputWindowTests {
    private func fill(_ window: inout InputWindow, _ kept: Int, _ wanted: Int, with byte: UInt8) {
        _ = window.fill(kept, wanted) { room in
            room.initializeMemory(as: UInt8.self, repeating: byte)
            return room.count
        }
    }

    @Test func whatIsKeptStaysAsTheWindowGrowsAndShrinks() {
        var window = InputWindow()
        fill(&window, 0, 100, with: 1)
        window.drop(90, keeping: 10)
        fill(&window, 10, 40 << 20, with: 2)
        #expect(window.withBytes(12) { bytes, _ in Array(bytes) } == Array(repeating: 1, count: 10) + [2, 2])
        window.drop(40 << 20, keeping: 10)
        fill(&window, 10, 1_000, with: 3)
        #expect(window.withBytes(12) { bytes, _ in Array(bytes) } == Array(repeating: 2, count: 10) + [3, 3])
    }

    @Test func roomForALongLineIsGivenBack() {
        var window = InputWindow()
        fill(&window, 0, 4 << 20, with: 1)
        fill(&window, 4 << 20, 60 << 20, with: 1)
        #expect(window.withBytes(0) { $1 } > 64 << 20)
        fill(&window, 0, 4 << 20, with: 1)
        #expect(window.withBytes(0) { $1 } < 5 << 20)
    }
}
