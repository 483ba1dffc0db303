import Columnar
import Crypto

/// Gives events without an id one: a hash of their bytes, and their number among equal ones.
struct RecordOrdinals: ~Copyable {
    /// The first 64 bits of a SHA-256 and how often they were seen; 0 marks a free slot.
    ///
    /// Records that share these bits alone share their numbers, and differ in the rest of their hash.
    private struct Slot {
        var hash: UInt64 = 0
        var seenCount: UInt64 = 0
    }

    private var slots: [Slot] = []
    private var usedCount = 0
    private var text = ByteBuffer(capacity: 64)

    init() {}

    /// Forgets all records.
    mutating func removeAll() {
        guard usedCount > 0 else { return }
        slots = []
        usedCount = 0
    }

    /// The id of a record: 32 hexadecimal digits, `-`, and how many equal records came before it.
    ///
    /// - Returns: Valid until the next call.
    mutating func id(of record: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let (high, low) = SHA256.hash(data: record).withUnsafeBytes {
            (
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        var ordinal = count(high)
        text.removeAll()
        text.append(atMost: 32) {
            Self.writeHex(high, to: $0)
            Self.writeHex(low, to: $0 + 16)
            return 32
        }
        text.append(UInt8(ascii: "-"))
        let start = text.count
        repeat {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: ordinal % 10))
            ordinal /= 10
        } while ordinal > 0
        text.reverse(from: start)
        return text.bytes
    }

    private static func writeHex(_ value: UInt64, to out: UnsafeMutableRawPointer) {
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: value &>> UInt64(60 - index * 4) & 15)
            out.storeBytes(of: digit &+ (digit < 10 ? 0x30 : 0x57), toByteOffset: index, as: UInt8.self)
        }
    }

    /// Counts a record; returns how many equal ones there were.
    private mutating func count(_ hash: UInt64) -> UInt64 {
        if usedCount * 2 >= slots.count { grow() }
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: hash) & mask
        while slots[at].seenCount > 0 {
            if slots[at].hash == hash {
                slots[at].seenCount += 1
                return slots[at].seenCount - 1
            }
            at = (at + 1) & mask
        }
        slots[at] = Slot(hash: hash, seenCount: 1)
        usedCount += 1
        return 0
    }

    private mutating func grow() {
        var larger = Array(repeating: Slot(), count: max(1_024, slots.count * 2))
        let mask = larger.count - 1
        for slot in slots where slot.seenCount > 0 {
            var at = Int(truncatingIfNeeded: slot.hash) & mask
            while larger[at].seenCount > 0 { at = (at + 1) & mask }
            larger[at] = slot
        }
        slots = larger
    }
}
