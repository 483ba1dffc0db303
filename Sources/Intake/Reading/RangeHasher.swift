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

    /// The hash so far: 32 hexadecimal digits.
    package var digest: String {
        let value = bs_hasher_digest(state)
        return [value.high, value.low].map { part in
            let text = String(part, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }
}
