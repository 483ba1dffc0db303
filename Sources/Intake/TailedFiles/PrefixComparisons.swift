import Glibc

/// Compares whole files byte by byte: whether one begins with all of the other.
///
/// What was compared is kept: when files grow, only the bytes that came are compared.
final class PrefixComparisons {
    private struct Pair: Hashable {
        var short: FileID
        var long: FileID
    }

    private struct Progress {
        /// As many first bytes are equal.
        var equalByteCount: UInt64 = 0
        /// The last of the equal bytes, to notice that a file was written anew.
        var lastBlock: [UInt8] = []
        var isDifferent = false
        var statuses: [LogFileStatus] = []
        var isUsed = true
    }

    private static let blockByteCount = TailedFileSource.hashedByteCount
    private static let chunkByteCount = 1 << 18

    private var progress: [Pair: Progress] = [:]

    /// Whether `long` begins with all bytes of `short`, which is not longer.
    ///
    /// - Returns: nil when it cannot be told now: one of them is gone or was just truncated.
    func isPrefix(_ short: KnownFile, of long: KnownFile, _ readers: OpenReaders) throws -> Bool? {
        guard let first = short.head, let second = long.head, second.starts(with: first) else { return false }
        // The first bytes are all there is.
        if short.byteCount == UInt64(first.count) { return true }
        let pair = Pair(short: short.id, long: long.id)
        var state = progress[pair] ?? Progress()
        state.isUsed = true
        defer { progress[pair] = state }
        let statuses = [short.status, long.status]
        if state.statuses == statuses, short.isUnchangedForCertain, long.isUnchangedForCertain {
            return !state.isDifferent && state.equalByteCount >= short.byteCount
        }
        guard let left = try readers.reader(of: short), let right = try readers.reader(of: long) else {
            return nil
        }
        if try !stillHolds(state, left, right) { state = Progress() }
        state.statuses = statuses
        guard try compare(short, left, long, right, &state) else {
            state.statuses = []
            return nil
        }
        return !state.isDifferent && state.equalByteCount >= short.byteCount
    }

    /// Forgets the files that were not compared since the last call.
    func forgetUnused() {
        progress = progress.filter { $0.value.isUsed }
        for pair in progress.keys { progress[pair]?.isUsed = false }
    }

    private func stillHolds(_ state: Progress, _ left: FileReader, _ right: FileReader) throws -> Bool {
        let count = state.lastBlock.count
        guard count > 0 else { return false }
        let from = state.equalByteCount - UInt64(count)
        return try left.bytes(at: from, count: count) == state.lastBlock
            && right.bytes(at: from, count: count) == state.lastBlock
    }

    /// Compares on up to the end of the shorter file; false when one ends before.
    private func compare(
        _ short: KnownFile,
        _ left: FileReader,
        _ long: KnownFile,
        _ right: FileReader,
        _ state: inout Progress
    ) throws -> Bool {
        let end = short.byteCount
        state.isDifferent = false
        // The first bytes are equal, and so is what a copy's hole stands for.
        let solidFrom = max(short.solidFrom, long.solidFrom)
        if state.equalByteCount < solidFrom {
            state.equalByteCount = solidFrom
            state.lastBlock = []
        }
        while state.equalByteCount < end {
            let wanted = Int(min(UInt64(Self.chunkByteCount), end - state.equalByteCount))
            let first = try left.bytes(at: state.equalByteCount, count: wanted)
            let second = try right.bytes(at: state.equalByteCount, count: wanted)
            guard first.count == wanted, second.count == wanted else { return false }
            guard first == second else {
                let equal = zip(first, second).prefix { $0 == $1 }.count
                advance(&state, first[..<equal])
                state.isDifferent = true
                return true
            }
            advance(&state, first[...])
        }
        return true
    }

    private func advance(_ state: inout Progress, _ bytes: ArraySlice<UInt8>) {
        state.equalByteCount += UInt64(bytes.count)
        state.lastBlock = Array(
            (state.lastBlock + bytes.suffix(Self.blockByteCount)).suffix(Self.blockByteCount)
        )
    }
}
