import BatchProtocol
import Intake

/// Turns the bytes of objects into data files of one batch.
protocol ObjectStaging: AnyObject {
    /// Whether a record has been read in part, so that what follows it belongs to the batch, too.
    var isInsideRecord: Bool { get }
    /// Rows of the pipeline's main table so far.
    var rowCount: Int { get }

    /// What follows are the bytes of another object, from where it is read on.
    ///
    /// - Parameters:
    ///   - reader: The object.
    ///   - modified: When it was last modified, in microseconds since 1970-01-01 UTC.
    /// - Throws: `StorageError`.
    func begin(_ reader: ObjectReader, modified: Int64) throws

    /// Decodes bytes of the object.
    ///
    /// - Parameters:
    ///   - bytes: They start at the start of a record.
    ///   - paddingByteCount: Bytes behind them that may be looked at.
    ///   - offset: Offset of the first in the object.
    ///   - isEnd: Nothing follows.
    /// - Returns: Bytes that are done with.
    /// - Throws: What ends the batch.
    func decode(
        _ bytes: UnsafeRawBufferPointer,
        paddingByteCount: Int,
        at offset: UInt64,
        isEnd: Bool
    ) throws -> Int

    /// Whether the last bytes of an object that somebody may be writing are a whole record, which nothing can continue.
    func isWhole(lastRecord bytes: UnsafeRawBufferPointer) -> Bool

    /// Gives the batch up and removes its files.
    func cancel()
}

extension ObjectStaging {
    /// Runs `body`; when it fails, the files are removed.
    func orCancel<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            cancel()
            throw error
        }
    }
}
