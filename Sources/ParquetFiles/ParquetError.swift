/// A Parquet file that could not be written or read.
package struct ParquetError: Error, CustomStringConvertible, Sendable {
    /// What failed.
    package enum Code: String, Sendable {
        /// The file could not be started, a row group or the footer not be written.
        case write
        /// The file could not be opened or read.
        case read
        /// The file holds a column of a type that this room does not know.
        case unsupportedType
    }

    /// The kind of failure.
    package var code: Code
    /// The file, when it has a path.
    package var path: String?
    /// Arrow's own words, or the type's name.
    package var message: String

    /// The error as one line.
    package var description: String {
        "Parquet file\(path.map { " \($0)" } ?? ""): \(message)"
    }
}
