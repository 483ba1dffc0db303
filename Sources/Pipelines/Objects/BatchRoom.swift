/// The bytes that a batch may still take.
///
/// A batch ends at the end of the last line that fits; a single line that is longer makes a batch of its own.
struct BatchRoom {
    private var left: UInt64
    private var isEmpty = true
    /// Whether nothing more belongs to the batch.
    private(set) var isFull = false

    /// The room of a batch that has nothing yet.
    init(byteCount: UInt64) { left = byteCount }

    /// How many bytes are to be read.
    ///
    /// - Parameters:
    ///   - carried: Bytes that were read before and begin a line.
    ///   - step: The most that is read at once.
    /// - Returns: At least 1.
    func readable(behind carried: Int, atMost step: Int) -> Int {
        // A line that is too long is read to its end.
        guard hasRoom(for: carried + 1) else { return step }
        return Int(min(UInt64(step), left - UInt64(carried)))
    }

    /// Whether so many bytes fit.
    func hasRoom(for byteCount: Int) -> Bool { UInt64(byteCount) <= left }

    /// Lines were taken.
    ///
    /// - Parameters:
    ///   - byteCount: Their bytes.
    ///   - carried: Bytes behind them that were read and begin a line.
    mutating func take(_ byteCount: Int, leaving carried: Int) {
        left -= min(left, UInt64(byteCount))
        if byteCount > 0 { isEmpty = false }
        if !isEmpty { isFull = !hasRoom(for: carried + 1) }
    }
}
