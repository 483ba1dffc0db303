/// A value of the configuration that knows whether it may be shown.
///
/// A value into which a variable went is a secret: its description, debug description and mirror show `***`.
/// The value itself is for those who work with it; they must not put it into a log, an error or a page.
package struct Setting<Value> {
    /// The value, variables replaced.
    package var value: Value
    /// Whether a variable went into the value.
    package var isSecret: Bool

    /// Wraps a value; a value written out in the file is no secret.
    package init(_ value: Value, isSecret: Bool = false) {
        self.value = value
        self.isSecret = isSecret
    }

    /// The same secrecy around another value that was made from this one.
    package func map<Other>(_ transform: (Value) -> Other) -> Setting<Other> {
        Setting<Other>(transform(value), isSecret: isSecret)
    }
}

extension Setting: Sendable where Value: Sendable {}
extension Setting: Equatable where Value: Equatable {}
extension Setting: Hashable where Value: Hashable {}

extension Setting: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The value as text, or `***`.
    package var description: String { isSecret ? "***" : "\(value)" }

    /// The same as ``description``: a debugger's output ends up in logs.
    package var debugDescription: String { description }

    /// Shows `dump` and reflection no more than ``description`` shows.
    package var customMirror: Mirror { Mirror(self, children: ["value": description], displayStyle: .struct) }
}
