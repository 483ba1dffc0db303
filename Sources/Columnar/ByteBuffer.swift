/// Bytes that grow at their end, outside Swift's arrays so that an append is a store.
///
/// Freed with its owner unless `freeze()` handed the bytes on.
@frozen
package struct ByteBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    /// The number of bytes in use.
    package private(set) var count: Int

    /// Creates an empty buffer with room for `capacity` bytes.
    package init(capacity: Int = 256) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 64)
        count = 0
    }

    deinit { base.deallocate() }

    /// The bytes in use; valid until the next append.
    @inlinable package var bytes: UnsafeRawBufferPointer {
        @inline(__always) get { UnsafeRawBufferPointer(start: base, count: count) }
    }

    /// Makes room for `additional` more bytes.
    @inlinable @inline(__always)
    package mutating func reserve(_ additional: Int) {
        if count &+ additional > capacity { grow(additional) }
    }

    @usableFromInline @inline(never)
    mutating func grow(_ additional: Int) {
        let capacity = max(self.capacity * 2, count + additional)
        let base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        base.copyMemory(from: self.base, byteCount: count)
        self.base.deallocate()
        self.base = base
        self.capacity = capacity
    }

    /// Appends one fixed-width value.
    @inlinable @inline(__always)
    package mutating func append<Value: BitwiseCopyable>(_ value: Value) {
        reserve(MemoryLayout<Value>.size)
        base.storeBytes(of: value, toByteOffset: count, as: Value.self)
        count &+= MemoryLayout<Value>.size
    }

    /// Appends a fixed-width value `times` over.
    @inlinable
    package mutating func append<Value: BitwiseCopyable>(repeating value: Value, count times: Int) {
        let byteCount = times &* MemoryLayout<Value>.stride
        reserve(byteCount)
        (base + count).initializeMemory(as: Value.self, repeating: value, count: times)
        count &+= byteCount
    }

    /// Appends bytes.
    @inlinable @inline(__always)
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        if let source = bytes.baseAddress {
            (base + count).copyMemory(from: source, byteCount: bytes.count)
        }
        count &+= bytes.count
    }

    /// Appends `additional` bytes that `body` writes; `body` returns how many it wrote.
    @inlinable @inline(__always)
    package mutating func append(atMost additional: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        reserve(additional)
        count &+= body(base + count)
    }

    /// Writes a fixed-width value over bytes in use.
    package mutating func overwrite<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "bytes in use")
        base.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    /// Moves bytes in use towards the start.
    mutating func move(_ range: Range<Int>, to offset: Int) {
        precondition(offset <= range.lowerBound && range.upperBound <= count, "towards the start")
        (base + offset).copyMemory(from: base + range.lowerBound, byteCount: range.count)
    }

    /// Drops the bytes from `newCount` on.
    mutating func truncate(to newCount: Int) { count = min(count, newCount) }

    /// Turns the order of the bytes from `start` on around.
    package mutating func reverse(from start: Int) {
        var turned = UnsafeMutableRawBufferPointer(start: base + start, count: count - start)
        turned.reverse()
    }

    /// Drops all bytes and keeps the room.
    @inlinable package mutating func removeAll() { count = 0 }

    /// Sets one bit, growing with zeros up to it.
    @inlinable @inline(__always)
    package mutating func setBit(_ index: Int) {
        let byte = index &>> 3
        while count <= byte { append(UInt8(0)) }
        let value =
            base.load(fromByteOffset: byte, as: UInt8.self) | (1 &<< UInt8(truncatingIfNeeded: index & 7))
        base.storeBytes(of: value, toByteOffset: byte, as: UInt8.self)
    }

    /// Grows with zero bytes to `newCount`.
    package mutating func padWithZeros(to newCount: Int) {
        guard newCount > count else { return }
        reserve(newCount - count)
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: newCount - count)
        count = newCount
    }

    /// Hands the bytes on as an immutable buffer and starts again with an empty one.
    ///
    /// The next row group will be about as large as this one: room for it is set aside at once (untouched pages cost
    /// nothing), so that it need not be copied as it grows.
    package mutating func freeze() -> FrozenBuffer {
        let frozen = FrozenBuffer(adopting: base, count: count)
        capacity = max(64, count + count / 8)
        base = .allocate(byteCount: capacity, alignment: 64)
        count = 0
        return frozen
    }
}

/// Bytes that no longer change, shared by reference.
///
/// `@unchecked Sendable`: the memory is written before `init` and never after it.
package final class FrozenBuffer: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    /// The number of bytes.
    package let count: Int

    /// Takes over memory from `allocate`; it is freed with the last reference.
    init(adopting base: UnsafeMutableRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    deinit { base.deallocate() }

    /// The bytes; valid while the buffer lives.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
