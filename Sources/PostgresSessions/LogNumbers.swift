/// Numbers as PostgreSQL writes them into its log.
enum LogNumbers {
    /// A session's start (seconds since 1970, upper half) and process id; nil when the text is no session id.
    @inline(__always)
    static func session(_ text: UnsafeRawBufferPointer) -> UInt64? {
        var start: UInt64 = 0
        var at = 0
        while at < text.count, let digit = hexDigit(text[at]) {
            start = start &<< 4 | digit
            at &+= 1
        }
        guard at > 0, at <= 8, at < text.count, text[at] == UInt8(ascii: ".") else { return nil }
        let first = at &+ 1
        at = first
        var process: UInt64 = 0
        while at < text.count, let digit = hexDigit(text[at]) {
            process = process &<< 4 | digit
            at &+= 1
        }
        guard at == text.count, at > first, at &- first <= 8 else { return nil }
        return start &<< 32 | process
    }

    /// The session id of a key that `session` gave.
    static func sessionID(_ key: UInt64) -> String {
        String(key >> 32, radix: 16) + "." + String(key & 0xFFFF_FFFF, radix: 16)
    }

    @inline(__always)
    private static func hexDigit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte &- 0x30)
        case 0x61...0x66: UInt64(byte &- 0x57)
        default: nil
        }
    }

    /// A virtual transaction id, its backend in the upper half; 0 outside of a transaction (`4/0` or empty).
    @inline(__always)
    static func virtualTransaction(_ text: UnsafeRawBufferPointer) -> UInt64 {
        var backend: UInt64 = 0
        var local: UInt64 = 0
        var isLocal = false
        for byte in text {
            if byte == UInt8(ascii: "/") {
                backend = local
                local = 0
                isLocal = true
            } else if byte &- 0x30 <= 9 {
                local = local &* 10 &+ UInt64(byte &- 0x30)
            }
        }
        // Backend 0 is a backend; the one added keeps it apart from no transaction.
        return isLocal && local != 0 ? (backend &+ 1) &<< 32 | local & 0xFFFF_FFFF : 0
    }

    /// A number without sign; 0 when the text is none or too long.
    @inline(__always)
    static func number(_ text: UnsafeRawBufferPointer) -> Int {
        guard text.count <= 18 else { return 0 }
        var value = 0
        for byte in text {
            guard byte &- 0x30 <= 9 else { return 0 }
            value = value &* 10 &+ Int(byte &- 0x30)
        }
        return value
    }

    /// A signed 64-bit number by its bits.
    @inline(__always)
    static func signed(_ text: UnsafeRawBufferPointer) -> UInt64 {
        var value: UInt64 = 0
        for byte in text where byte &- 0x30 <= 9 { value = value &* 10 &+ UInt64(byte &- 0x30) }
        return text.first == UInt8(ascii: "-") ? 0 &- value : value
    }
}
