import CByteScan

/// The ids of rows that a table has or is about to have, by the day of their event.
///
/// Used from one thread at a time. Rows without a time are held apart, under the day nil.
package final class EventIndex {
    private var days: [Int32: IDSet] = [:]
    private var undated: IDSet?
    private var recentDay: Int32?
    private var recent: IDSet?

    /// Creates an index that knows no day.
    package init() {}

    /// The days that are known.
    package var knownDays: [Int32] { days.keys.sorted() }

    /// Whether a day is known.
    package func isKnown(_ day: Int32?) -> Bool { set(of: day) != nil }

    /// Ids held.
    package var count: Int { days.values.reduce(undated?.count ?? 0) { $0 + $1.count } }

    /// Bytes held.
    package var byteCount: Int { days.values.reduce(undated?.byteCount ?? 0) { $0 + $1.byteCount } }

    /// Makes a day known, even when no id of it follows.
    ///
    /// - Parameters:
    ///   - day: In days since 1970-01-01; nil for rows without a time.
    ///   - expectedCount: How many ids will be loaded.
    package func open(_ day: Int32?, expectedCount: Int = 0) {
        let set = makeSet(of: day)
        set.reserve(set.count + expectedCount)
    }

    /// Adds the id of a row that the table has to a day, which becomes known.
    ///
    /// - Parameters:
    ///   - id: 32 hexadecimal digits.
    ///   - day: The day of the row's event; nil for a row without a time.
    /// - Returns: False when the text is no id.
    @discardableResult
    package func load(_ id: UnsafeRawBufferPointer, day: Int32?) -> Bool {
        guard let id = EventID(hex: id) else { return false }
        _ = makeSet(of: day).insert(id)
        return true
    }

    /// Forgets a day.
    ///
    /// Ids of rows that no table has yet are forgotten with it: to be called between batches.
    package func evict(_ day: Int32?) {
        recent = nil
        if let day { days[day] = nil } else { undated = nil }
    }

    /// Forgets all days.
    package func removeAll() {
        recent = nil
        days = [:]
        undated = nil
    }

    /// Adds the id of a new row to a known day.
    ///
    /// - Returns: False when it was there.
    @inline(__always)
    func insert(_ id: EventID, day: Int32?) -> Bool { makeSet(of: day).insert(id) }

    /// Begins to load what `insert` will look at.
    @inline(__always)
    func prefetch(_ id: EventID, day: Int32?) { set(of: day)?.prefetch(id) }

    @inline(__always)
    private func set(of day: Int32?) -> IDSet? {
        if let recent, recentDay == day { return recent }
        guard let set = day.map({ days[$0] }) ?? undated else { return nil }
        recent = set
        recentDay = day
        return set
    }

    @inline(__always)
    private func makeSet(of day: Int32?) -> IDSet {
        if let known = set(of: day) { return known }
        let made = IDSet()
        if let day { days[day] = made } else { undated = made }
        return made
    }
}

/// The first 128 bits of a hash.
struct EventID: Hashable {
    var high: UInt64
    var low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Takes the first 16 bytes.
    init(hash: UnsafeRawBufferPointer) {
        high = UInt64(bigEndian: hash.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        low = UInt64(bigEndian: hash.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Reads 32 hexadecimal digits.
    init?(hex: UnsafeRawBufferPointer) {
        guard hex.count == Self.hexByteCount else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for index in 0..<16 {
            guard let high = Self.value(hex[index]), let low = Self.value(hex[16 + index]) else { return nil }
            halves.0 = halves.0 &<< 4 | high
            halves.1 = halves.1 &<< 4 | low
        }
        (high, low) = halves
    }

    private static func value(_ digit: UInt8) -> UInt64? {
        if digit &- 0x30 <= 9 { return UInt64(digit &- 0x30) }
        let letter = digit | 0x20
        return letter &- 0x61 <= 5 ? UInt64(letter &- 0x57) : nil
    }

    static let hexByteCount = 32

    /// Writes 32 hexadecimal digits.
    @inline(__always)
    func writeHex(to out: UnsafeMutableRawPointer) {
        Self.write(UInt32(truncatingIfNeeded: high &>> 32), to: out)
        Self.write(UInt32(truncatingIfNeeded: high), to: out + 8)
        Self.write(UInt32(truncatingIfNeeded: low &>> 32), to: out + 16)
        Self.write(UInt32(truncatingIfNeeded: low), to: out + 24)
    }

    /// Writes eight digits at once: each nibble to a byte of its own, then to its digit.
    @inline(__always)
    private static func write(_ value: UInt32, to out: UnsafeMutableRawPointer) {
        var nibbles = UInt64(value)
        nibbles = (nibbles | nibbles &<< 16) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles | nibbles &<< 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles &<< 4) & 0x0F0F_0F0F_0F0F_0F0F
        // 6 more carries 10…15 into the next nibble: these are letters.
        let letters = (nibbles &+ 0x0606_0606_0606_0606) &>> 4 & 0x0101_0101_0101_0101
        let digits = nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
        out.storeBytes(of: digits.bigEndian, as: UInt64.self)
    }
}

/// A set of ids in one stretch of memory: 16 bytes a place, four of five places taken before it grows.
final class IDSet {
    /// An id of zeros marks a free place.
    private var places: UnsafeMutablePointer<EventID>
    private var capacity = 64
    private(set) var count = 0

    init() {
        places = .allocate(capacity: capacity)
        places.initialize(repeating: EventID(high: 0, low: 0), count: capacity)
    }

    deinit { places.deallocate() }

    var byteCount: Int { capacity * MemoryLayout<EventID>.stride }

    func reserve(_ wanted: Int) {
        if wanted * 5 > capacity * 4 { grow(to: wanted * 5 / 4 + 64) }
    }

    @inline(__always)
    func prefetch(_ id: EventID) { bs_prefetch(places + place(of: id)) }

    /// Adds an id; false when it was there.
    @inline(__always)
    func insert(_ id: EventID) -> Bool {
        // An id of zeros shares the place of the next one: none will ever be seen.
        let id = id.high | id.low == 0 ? EventID(high: 0, low: 1) : id
        var at = place(of: id)
        while true {
            let other = places[at]
            if other.high | other.low == 0 { break }
            if other == id { return false }
            at = at &+ 1 == capacity ? 0 : at &+ 1
        }
        places[at] = id
        count &+= 1
        if count &* 5 > capacity &* 4 { grow(to: capacity &+ capacity / 4) }
        return true
    }

    /// Ids lie in their order but for a few, so growing goes through memory from its start to its end.
    @inline(__always)
    private func place(of id: EventID) -> Int {
        Int(truncatingIfNeeded: id.high.multipliedFullWidth(by: UInt64(truncatingIfNeeded: capacity)).high)
    }

    @inline(never)
    private func grow(to newCapacity: Int) {
        let (old, oldCapacity) = (places, capacity)
        capacity = newCapacity
        places = .allocate(capacity: newCapacity)
        places.initialize(repeating: EventID(high: 0, low: 0), count: newCapacity)
        for index in 0..<oldCapacity where old[index].high | old[index].low != 0 {
            var at = place(of: old[index])
            while places[at].high | places[at].low != 0 { at = at &+ 1 == capacity ? 0 : at &+ 1 }
            places[at] = old[index]
        }
        old.deallocate()
    }
}
