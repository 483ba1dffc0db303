import Columnar
import Crypto
import FoundationEssentials

/// Texts that are too long for a column of Redshift.
enum StagedText {
    /// Bytes of a text that a column of Redshift, or a text in a SUPER value, can have.
    static let byteLimit = 65_535
    /// The column of a target that names the texts that were cut, with the SHA-256 of each: `{"statement":"9f86d0…"}`.
    static let cutColumn = "auditlake_cut"

    /// The longest beginning of a text that fits and ends between two characters.
    static func fitting(_ text: UnsafeRawBufferPointer, limit: Int = byteLimit) -> UnsafeRawBufferPointer {
        guard text.count > limit else { return text }
        var end = limit
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: text[..<end])
    }

    /// The SHA-256 of a text in hexadecimal digits.
    static func hash(_ text: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        hash.update(bufferPointer: text)
        return hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// The JSON text of a nested value that is too long: an object with its beginning as a text.
    static func cutJSON(_ json: UnsafeRawBufferPointer, into out: inout ByteBuffer) {
        var limit = byteLimit - 32
        repeat {
            out.removeAll()
            out.appendText("{\"auditlake_cut\":")
            _ = out.appendJSON(fitting(json, limit: limit))
            out.appendText("}")
            limit /= 2
        } while out.count > byteLimit
    }
}
