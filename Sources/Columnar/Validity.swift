/// Which values of a column are there: one bit each, kept only once a value is missing.
@frozen
package struct ValidityBuilder: ~Copyable {
    @usableFromInline var bits = ByteBuffer(capacity: 64)
    @usableFromInline var filledTo = 0
    /// The number of missing values.
    package private(set) var nullCount = 0

    /// Creates an empty bitmap.
    package init() {}

    /// Notes that value `index` is missing; indices ascend.
    @inlinable @inline(__always)
    package mutating func appendNull(at index: Int) {
        fill(to: index)
        if index & 7 == 0 { bits.append(UInt8(0)) }
        filledTo = index &+ 1
        nullCount &+= 1
    }

    /// Notes that `count` values from `index` on are missing; indices ascend.
    @inlinable
    package mutating func appendNulls(_ count: Int, from index: Int) {
        guard count > 0 else { return }
        fill(to: index)
        filledTo = index &+ count
        bits.padWithZeros(to: (filledTo &+ 7) &>> 3)
        nullCount &+= count
    }

    /// Notes that value `index`, so far missing or not, is there.
    mutating func setValid(_ index: Int) {
        guard index < filledTo, bits.bytes[index &>> 3] &>> UInt8(truncatingIfNeeded: index & 7) & 1 == 0
        else {
            return
        }
        bits.setBit(index)
        nullCount -= 1
    }

    /// Sets the bits of all values from the last missing one up to `index`.
    @usableFromInline
    mutating func fill(to index: Int) {
        var at = filledTo
        while at < index {
            if at & 7 == 0, at &+ 8 <= index {
                bits.append(UInt8(0xFF))
                at &+= 8
            } else {
                bits.setBit(at)
                at &+= 1
            }
        }
        filledTo = index
    }

    /// The bitmap over `count` values, nil when none is missing; the builder is empty again.
    package mutating func finish(count: Int) -> (validity: FrozenBuffer?, nullCount: Int) {
        defer {
            filledTo = 0
            nullCount = 0
        }
        guard nullCount > 0 else {
            bits.removeAll()
            return (nil, 0)
        }
        fill(to: count)
        bits.padWithZeros(to: (count + 7) / 8)
        return (bits.freeze(), nullCount)
    }
}
