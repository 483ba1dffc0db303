/// An object under way: bytes in order, then `finish` or `abandon`.
package final class ObjectWriter {
    /// The file that is written.
    package let path: String
    /// Bytes written so far.
    package private(set) var byteCount = 0
    private let fileSystem: any FileSystem
    private var handle: Int32?

    init(path: String, fileSystem: any FileSystem) throws {
        self.path = path
        self.fileSystem = fileSystem
        handle = try fileSystem.create(path)
    }

    deinit { if let handle { fileSystem.close(handle) } }

    /// Appends bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard let handle else { preconditionFailure("the object is finished") }
        try fileSystem.write(handle, bytes, path: path)
        byteCount += bytes.count
    }

    /// Makes the bytes durable; the name becomes so with a sync of the folder.
    package func finish() throws {
        guard let handle else { return }
        try fileSystem.sync(handle, path: path)
        fileSystem.close(handle)
        self.handle = nil
    }

    /// Gives the object up and removes what was written of it, as far as that is possible.
    package func abandon() {
        if let handle { fileSystem.close(handle) }
        handle = nil
        // The file is invisible to readers; what cannot be removed now is removed by clean-up.
        try? fileSystem.remove(path)
    }
}
