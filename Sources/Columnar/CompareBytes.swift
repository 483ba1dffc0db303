import Glibc

/// `memcmp` over the first `count` bytes, which both hold.
@usableFromInline
func compareBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _ count: Int) -> Int32 {
    guard let first = left.baseAddress, let second = right.baseAddress else { return 0 }
    return memcmp(first, second, count)
}
