import BatchProtocol
import CByteScan

/// A running XXH3 of 128 bits, as plans store it.
package final class RangeHasher {
    private let state: OpaquePointer

    /// Starts with no bytes.
    package init() {
        guard let state = bs_hasher_create() else { preconditionFailure("out of memory") }
        self.state = state
    }

    deinit { bs_hasher_destroy(state) }

    /// Takes in bytes.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        bs_hasher_update(state, bytes.baseAddress, bytes.count)
    }

    /// Goes back to no bytes.
    package func reset() { bs_hasher_reset(state) }

    /// The hash so far.
    package var value: ContentHash {
        let value = bs_hasher_digest(state)
        return ContentHash(high: value.high, low: value.low)
    }

    /// The hash so far: 32 hexadecimal digits.
    package var digest: String { value.description }
}
