/// One thing that is wrong with a configuration file: where, what, and how to mend it.
package struct ConfigurationFault: Error, Hashable, Sendable {
    /// What kind of thing is wrong.
    package enum Code: String, Hashable, Sendable {
        /// The file cannot be read or is not UTF-8.
        case unreadableFile
        /// The text is not YAML, or a key stands twice in one mapping.
        case syntax
        /// A key that its place does not have.
        case unknownKey
        /// A key that its place must have.
        case missingKey
        /// A list where a text must stand, and the like.
        case wrongType
        /// The right type, but not one of the values that are allowed.
        case invalidValue
        /// `${NAME}` or `${file:…}` that is malformed or has no value.
        case unresolvedVariable
        /// A known name whose feature this release does not have.
        case notInThisRelease
    }

    /// The kind of fault.
    package var code: Code
    /// The configuration file, as the caller named it.
    package var path: String
    /// Line in the file, from 1; nil when the fault concerns the file as a whole.
    package var line: Int?
    /// Column in the line, from 1, in Unicode scalars; nil when the fault concerns the file as a whole.
    package var column: Int?
    /// What is wrong; never holds a value that came from a variable.
    package var message: String
    /// What to change so that the fault goes away.
    package var mend: String
}

extension ConfigurationFault: CustomStringConvertible {
    /// `path:line:column: message`, and how to mend it on a second line.
    package var description: String {
        let place = [path, line.map(String.init), column.map(String.init)].compactMap(\.self)
        return "\(place.joined(separator: ":")): \(message)\n    \(mend)"
    }
}

/// Everything that is wrong with one configuration file, in the order of its lines.
package struct InvalidConfiguration: Error, Hashable, Sendable, CustomStringConvertible {
    /// At least one fault; no fault stands twice.
    package var faults: [ConfigurationFault]

    /// The faults, one after the other.
    package var description: String { faults.map(\.description).joined(separator: "\n") }

    /// Sorts `faults` by place and keeps one of each: a pipeline is read for its kind and again for its keys.
    init(_ faults: [ConfigurationFault]) {
        var seen: Set<ConfigurationFault> = []
        self.faults = faults.filter { seen.insert($0).inserted }
            .sorted { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) }
    }
}
