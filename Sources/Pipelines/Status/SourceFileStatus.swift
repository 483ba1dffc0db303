/// How far one file of a source was read.
package struct SourceFileStatus: Codable, Hashable, Sendable {
    /// Where it lies now.
    package var path: String
    /// The format of its records; nil when no batch has read it.
    package var format: String?
    /// Bytes that batches have.
    package var offset: UInt64
    /// Its size in bytes.
    package var byteCount: UInt64
    /// Unread bytes, without those that are no whole record yet.
    package var lagBytes: UInt64
    /// Age of the oldest unread record, in seconds; nil when there is none, or nothing tells.
    package var lagSeconds: Double?
    /// Bytes at its end that are no whole record yet.
    package var pendingBytes: UInt64
}
