/// Something in a Delta log, or in a change to it, that does not follow the protocol.
package struct DeltaLogError: Error, Hashable, Sendable {
    /// What is wrong.
    package enum Code: String, Hashable, Sendable {
        /// A line of a commit file is no action of the protocol.
        case malformedAction
        /// A file path is no percent-encoded URI (RFC 2396) of valid UTF-8.
        case malformedPath
        /// A schema string does not follow the schema serialization format.
        case malformedSchema
        /// A `_last_checkpoint` file is no JSON of the protocol.
        case malformedLastCheckpoint
        /// Per-file statistics are no JSON of the protocol.
        case malformedStatistics
        /// A table property has a value that cannot be read.
        case malformedProperty
        /// A column has a type outside the supported ones.
        case unsupportedType
        /// The table asks for a newer reader.
        case unsupportedReader
        /// The table asks for a newer writer, or for a rule this writer does not keep.
        case unsupportedWriter
        /// One commit holds two actions that reconcile with each other.
        case duplicateAction
        /// A state or first commit has no `protocol` action.
        case missingProtocol
        /// A state or first commit has no `metaData` action.
        case missingMetadata
        /// A commit was applied out of turn.
        case versionGap
        /// The listing lacks files that the state needs.
        case logGap
        /// The log has no such version.
        case noSuchVersion
        /// Two columns of one struct differ only in case or in Unicode normalization.
        case columnNameClash
        /// A column would change its type.
        case columnTypeChange
    }

    /// The kind of error.
    package var code: Code
    /// What was found, what was expected and how to mend it, in one sentence.
    package var message: String
    /// Table version the error belongs to, where one does.
    package var version: Int64?
    /// Line of the commit file, from 1, where there is one.
    package var line: Int?
    /// Column path, outermost field first, where there is one.
    package var column: [String]

    /// Whether the same work can succeed after reading the log again.
    package var retryable: Bool {
        code == .logGap
    }

    package init(
        _ code: Code,
        _ message: String,
        version: Int64? = nil,
        line: Int? = nil,
        column: [String] = []
    ) {
        self.code = code
        self.message = message
        self.version = version
        self.line = line
        self.column = column
    }
}

extension DeltaLogError: CustomStringConvertible {
    package var description: String {
        var place = ""
        if let version {
            place += " at version \(version)"
        }
        if let line {
            place += ", line \(line)"
        }
        if !column.isEmpty {
            place += ", column \(column.joined(separator: "."))"
        }
        return "\(code.rawValue)\(place): \(message)"
    }
}
