import JSONText

/// Chooses live files to merge into fewer, so that a table of many small commits stays quick to open and to
/// read.
///
/// **When**: only with more than `fileLimit` files, and then until nine tenths of it are left, so that the
/// work is done once in many commits.
///
/// **What**: within one partition the smallest files, filled into groups of about `target` bytes; files of
/// half the target or more are full and stay. A group is taken only when its total is at least twice its
/// largest file, so every time a byte is rewritten it lands in a file at least twice as large: each byte is
/// rewritten at most log₂(target / smallest file) times, however many commits the table has. Of the groups,
/// those that cost the fewest bytes per file saved come first.
///
/// **How large**: when full files alone would exceed half the limit, the target is doubled until they do not;
/// that happens once each time the table doubles.
///
/// **Bound**: a partition keeps at most log₂(target) small files that no rule may merge, and all partitions
/// together at most `fileLimit / 2` full ones. So at most `fileLimit` files stay as long as the partitions
/// times that logarithm are below two fifths of the limit; with more partitions the cost rule wins and the
/// limit gives way.
package struct BinPacking: Hashable, Sendable {
    /// A live file.
    package struct File: Hashable, Sendable {
        /// Where it lies.
        package var path: DataFilePath
        /// Size in bytes.
        package var size: Int64
        /// Time of creation in milliseconds since 1970.
        package var modificationTime: Int64
        /// Partition it belongs to.
        package var partitionValues: [String: String?]
        /// Number of rows, when known.
        package var recordCount: Int64?

        package init(
            path: DataFilePath,
            size: Int64,
            modificationTime: Int64,
            partitionValues: [String: String?] = [:],
            recordCount: Int64? = nil
        ) {
            self.path = path
            self.size = size
            self.modificationTime = modificationTime
            self.partitionValues = partitionValues
            self.recordCount = recordCount
        }
    }

    /// Files of one partition that become one file.
    package struct Group: Hashable, Sendable {
        /// The files, oldest first: read in this order, rows stay roughly in the order they came.
        package let files: [File]
        /// Size of all in bytes.
        package let size: Int64
        /// Number of rows of all, when known of each.
        package var recordCount: Int64? {
            files.reduce(into: Int64?(0)) { total, file in
                total = total.flatMap { sum in file.recordCount.map { sum + $0 } }
            }
        }
    }

    /// Most files that stay live.
    package let fileLimit: Int
    /// Size of a merged file in bytes, before the table outgrows it.
    package let target: Int64

    package init(fileLimit: Int = 1_000, target: Int64 = 128 << 20) {
        precondition(fileLimit > 1 && target > 1, "nothing can be merged")
        self.fileLimit = fileLimit
        self.target = target
    }

    /// Chooses the groups to rewrite in one commit, cheapest first; empty when the table is well as it is.
    ///
    /// - Parameter files: All live files of the table.
    /// - Returns: Groups of at least two files each; no file is in two.
    /// - Complexity: O(n log n) in the number of files.
    package func groups(_ files: [File]) -> [Group] {
        guard files.count > fileLimit else { return [] }
        let target = effectiveTarget(files)
        let candidates = Dictionary(grouping: files, by: \.partitionValues).values
            .flatMap { Self.groups(inPartition: $0, target: target) }
            .sorted(by: Self.isCheaper)
        var left = files.count
        let goal = fileLimit * 9 / 10
        return candidates.prefix { group in
            defer { left -= group.files.count - 1 }
            return left > goal
        }
    }

    private func effectiveTarget(_ files: [File]) -> Int64 {
        let total = files.reduce(0) { $0 + $1.size }
        var result = target
        while total / (result / 2) > fileLimit / 2 {
            result *= 2
        }
        return result
    }

    private static func groups(inPartition files: [File], target: Int64) -> [Group] {
        let small = files.filter { $0.size < target / 2 }.sorted { isBefore(($0.size, $0), ($1.size, $1)) }
        var groups: [Group] = []
        var bin: [File] = []
        var size: Int64 = 0
        for file in small {
            bin.append(file)
            size += file.size
            guard size >= target else { continue }
            groups.append(Group(bin, size: size))
            (bin, size) = ([], 0)
        }
        while let largest = bin.last, bin.count > 1, size < 2 * largest.size {
            bin.removeLast()
            size -= largest.size
        }
        if bin.count > 1 {
            groups.append(Group(bin, size: size))
        }
        return groups
    }

    /// Bytes rewritten per file saved, then age, so that the order never depends on hashing.
    private static func isCheaper(_ left: Group, _ right: Group) -> Bool {
        let costs = (left.size / Int64(left.files.count - 1), right.size / Int64(right.files.count - 1))
        return isBefore((costs.0, left.files[0]), (costs.1, right.files[0]))
    }

    /// By number, then age, then path.
    fileprivate static func isBefore(_ left: (Int64, File), _ right: (Int64, File)) -> Bool {
        if left.0 != right.0 {
            return left.0 < right.0
        }
        if left.1.modificationTime != right.1.modificationTime {
            return left.1.modificationTime < right.1.modificationTime
        }
        return utf8Precedes(left.1.path.encoded, right.1.path.encoded)
    }
}

extension BinPacking.Group {
    fileprivate init(_ bin: [BinPacking.File], size: Int64) {
        files = bin.sorted { BinPacking.isBefore((0, $0), (0, $1)) }
        self.size = size
    }
}
