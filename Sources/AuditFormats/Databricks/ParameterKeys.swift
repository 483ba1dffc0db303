import CSimdJSON
import Columnar

/// The keys of one service's `requestParams`, each with a number in order of first appearance.
struct ParameterKeys: ~Copyable {
    private var pool = TextPool(slotCount: 64)
    /// By key, the one that followed it last: events of one action have their keys in one order.
    private var successors: [Int32] = []
    private var first: Int32 = -1
    /// By key, the last event that had it.
    private var lastEvents: [UInt32] = []
    private var event: UInt32 = 0
    /// By key, its entry in the pool of all keys.
    private(set) var globalEntries: [Int32] = []

    init() {}

    /// The number of keys.
    var count: Int { globalEntries.count }

    /// The text of a key.
    subscript(key: Int32) -> UnsafeRawBufferPointer { pool[key] }

    /// Makes a key known that follows all others.
    mutating func add(_ text: UnsafeRawBufferPointer, to all: inout TextPool) {
        let key = pool.entry(of: text)
        if Int(key) == globalEntries.count { enter(text, &all) }
    }

    private mutating func enter(_ text: UnsafeRawBufferPointer, _ all: inout TextPool) {
        globalEntries.append(all.entry(of: text))
        successors.append(-1)
        lastEvents.append(0)
    }

    /// Finds the keys of one event.
    ///
    /// - Parameters:
    ///   - pairs: Its `requestParams`.
    ///   - all: The pool of all keys.
    ///   - keys: Receives one key for each pair; -1 for one that the event has had before.
    /// - Returns: Whether a pair repeats a key.
    mutating func find(
        _ pairs: UnsafeBufferPointer<sj_pair>,
        in all: inout TextPool,
        _ keys: UnsafeMutablePointer<Int32>
    ) -> Bool {
        event &+= 1
        if event == 0 {
            for index in lastEvents.indices { lastEvents[index] = 0 }
            event = 1
        }
        var previous: Int32 = -1
        var repeats = false
        for index in 0..<pairs.count {
            let text = pairs[index].key.text
            let guess = previous >= 0 ? successors[Int(previous)] : first
            var key = guess
            if guess < 0 || !pool[guess].equals(text) {
                key = pool.entry(of: text)
                if Int(key) == globalEntries.count { enter(text, &all) }
                if previous >= 0 { successors[Int(previous)] = key } else { first = key }
            }
            previous = key
            let isRepeated = lastEvents[Int(key)] == event
            lastEvents[Int(key)] = event
            keys[index] = isRepeated ? -1 : key
            repeats = repeats || isRepeated
        }
        return repeats
    }
}

extension sj_value {
    /// The text.
    @inline(__always)
    var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: Int(length)) }

    /// Whether there is a value, `null` included.
    @inline(__always)
    var isPresent: Bool { kind != SJ_VALUE_ABSENT.rawValue }

    /// Whether the value is `null`.
    @inline(__always)
    var isNull: Bool { kind == SJ_VALUE_NULL.rawValue }

    /// The text; nil for `null` and for what is not there.
    @inline(__always)
    var textUnlessNull: UnsafeRawBufferPointer? { kind > SJ_VALUE_NULL.rawValue ? text : nil }
}
