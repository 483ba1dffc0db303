import CByteScan

/// Counts equal records of a file by the first 64 bits of their hash.
///
/// Records that share these bits alone share their numbers, and differ in the rest of their hash.
struct EqualRecords: ~Copyable {
    /// Hashes that were seen; 0 marks a free place.
    private var places: UnsafeMutablePointer<UInt64>
    private var capacity = Self.smallestCapacity
    private var usedCount = 0
    /// How often those were seen again that were.
    private var repeats: [UInt64: UInt64] = [:]

    private static let smallestCapacity = 1_024

    init() {
        places = .allocate(capacity: capacity)
        places.initialize(repeating: 0, count: capacity)
    }

    deinit { places.deallocate() }

    /// Forgets all records.
    mutating func removeAll() {
        guard usedCount > 0 else { return }
        places.deallocate()
        capacity = Self.smallestCapacity
        places = .allocate(capacity: capacity)
        places.initialize(repeating: 0, count: capacity)
        usedCount = 0
        repeats = [:]
    }

    /// Begins to load what `add` will look at.
    @inline(__always)
    func prefetch(_ hash: UInt64) { bs_prefetch(places + place(of: hash)) }

    /// Counts a record; returns how many equal ones came before it.
    @inline(__always)
    mutating func add(_ hash: UInt64) -> UInt64 {
        let hash = hash == 0 ? 1 : hash
        var at = place(of: hash)
        while places[at] != 0 {
            if places[at] == hash { return countAgain(hash) }
            at = at &+ 1 == capacity ? 0 : at &+ 1
        }
        places[at] = hash
        usedCount &+= 1
        if usedCount &* 3 > capacity &* 2 { grow() }
        return 0
    }

    /// Hashes lie in their order but for a few, so growing goes through memory from its start to its end.
    @inline(__always)
    private func place(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(truncatingIfNeeded: capacity)).high)
    }

    @inline(never)
    private mutating func countAgain(_ hash: UInt64) -> UInt64 {
        repeats[hash, default: 0] += 1
        return repeats[hash, default: 0]
    }

    @inline(never)
    private mutating func grow() {
        let (old, oldCapacity) = (places, capacity)
        capacity *= 2
        places = .allocate(capacity: capacity)
        places.initialize(repeating: 0, count: capacity)
        for index in 0..<oldCapacity where old[index] != 0 {
            var at = place(of: old[index])
            while places[at] != 0 { at = at + 1 == capacity ? 0 : at + 1 }
            places[at] = old[index]
        }
        old.deallocate()
    }
}
