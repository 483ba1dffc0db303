import FoundationEssentials

/// Why a `${…}` could not be replaced.
struct VariableFault: Error, Hashable {
    /// What is wrong; names the variable or the file, never a value.
    var message: String
    /// What to do about it.
    var mend: String
}

/// Replaces `${NAME}` by a variable of the environment and `${file:/path}` by the content of a secret file.
///
/// `$${` stands for a literal `${`. A replaced text is not searched again: a value cannot name another variable.
struct VariableExpander {
    /// The variables, by name.
    let environment: [String: String]
    /// The folder from which a relative secret file counts.
    let folder: String

    /// Replaces every variable in `text`.
    ///
    /// - Returns: The text; secret as soon as one variable went into it.
    /// - Throws: ``VariableFault`` at the first variable that has no value.
    func expand(_ text: String) throws(VariableFault) -> Setting<String> {
        var result = Setting("")
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result.value += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result.value += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw VariableFault(
                        message: "“${” has no closing “}”",
                        mend: "write ${NAME} or ${file:/path}; $${ stands for a literal ${"
                    )
                }
                result.value += try self.value(of: rest[rest.index(rest.startIndex, offsetBy: 2)..<end])
                result.isSecret = true
                rest = rest[rest.index(after: end)...]
            } else {
                result.value += "$"
                rest = rest.dropFirst()
            }
        }
        result.value += rest
        return result
    }

    private func value(of reference: Substring) throws(VariableFault) -> String {
        if reference.hasPrefix("file:") { return try secret(inFile: String(reference.dropFirst(5))) }
        let name = String(reference)
        guard Identifier.isValid(name) else {
            throw VariableFault(
                message: "“${\(name)}” is not a variable",
                mend: "write ${NAME} or ${file:/path}; $${ stands for a literal ${"
            )
        }
        if let value = environment[name] { return value }
        let nearest = NearestName.of(name, among: environment.keys).map { "did you mean “\($0)”? " } ?? ""
        throw VariableFault(
            message: "the variable \(name) is not set",
            mend: "\(nearest)export \(name)=… or name a secret file with ${file:/path}"
        )
    }

    /// The file's text without its last newline, which editors and `echo` add.
    private func secret(inFile path: String) throws(VariableFault) -> String {
        let location = FilePath.absolute(path, from: folder)
        guard let data = FileManager.default.contents(atPath: location) else {
            throw VariableFault(
                message: "the secret file \(location) cannot be read",
                mend: "create it, readable for the user who runs auditlake"
            )
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw VariableFault(
                message: "the secret file \(location) is not UTF-8 text",
                mend: "write the secret as plain text, without a byte order mark"
            )
        }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { return String(text.dropLast()) }
        return text
    }
}
