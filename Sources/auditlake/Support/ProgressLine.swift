import Foundation
import Pipelines
import Synchronization

/// Shows how far a run has come: one line that is rewritten on a terminal, nothing elsewhere.
final class ProgressLine: Sendable {
    private let isTerminal = isatty(2) == 1
    private let started = ContinuousClock.now
    private let lastShown = Mutex<ContinuousClock.Instant?>(nil)
    private let name: String

    init(name: String) { self.name = name }

    /// Shows a state, five times a second at the most.
    func show(_ progress: PipelineProgress) {
        guard isTerminal else { return }
        let now = ContinuousClock.now
        let isDue = lastShown.withLock { last in
            guard let previous = last, now - previous < .milliseconds(200) else {
                last = now
                return true
            }
            return false
        }
        guard isDue else { return }
        let share = progress.totalBytes == 0 ? 1 : Double(progress.bytes) / Double(progress.totalBytes)
        let filled = min(20, Int(share * 20))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
        let seconds = (now - started) / .seconds(1)
        let rate = seconds > 0 ? Double(progress.bytes) / seconds / 1e6 : 0
        let line = "\(name) [\(bar)] \(Int(share * 100))% \(progress.rows) rows, \(Int(rate)) MB/s"
        FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
    }

    /// Clears the line.
    func end() {
        guard isTerminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }
}
