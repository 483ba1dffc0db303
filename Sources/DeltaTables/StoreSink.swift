import ObjectStorage
import ParquetFiles

/// Passes a Parquet file's bytes to the store and keeps the failure that Arrow cannot carry.
package final class StoreSink: ParquetSink {
    package let writer: any ObjectWriter
    private(set) var failure: (any Error)?

    /// Writes into an object under way.
    package init(_ writer: any ObjectWriter) { self.writer = writer }

    package func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do {
            try writer.write(bytes)
            return true
        } catch {
            failure = error
            return false
        }
    }

    /// Runs work on the Parquet file above this sink; when it fails for the store's sake, throws the store's error.
    package func surfacing<Result>(_ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch {
            throw failure ?? error
        }
    }
}
