import CCompression

/// How a rotated log was compressed, told by the end of its name.
package enum Compression: Hashable, Sendable, CaseIterable {
    case gzip
    case zstd

    /// The endings of the names that the tools give.
    package var suffixes: [String] {
        switch self {
        case .gzip: [".gz"]
        case .zstd: [".zst", ".zstd"]
        }
    }

    /// Every ending.
    package static let suffixes = allCases.flatMap(\.suffixes)

    /// The compression of a file of this name; nil for a plain one.
    package init?(path: String) {
        guard let format = Self.allCases.first(where: { $0.suffixes.contains(where: path.hasSuffix) })
        else { return nil }
        self = format
    }

    /// The name before compression.
    package static func plainPath(of path: String) -> String? {
        guard let suffix = suffixes.first(where: path.hasSuffix) else { return nil }
        return String(path.dropLast(suffix.count))
    }

    var format: cc_format {
        switch self {
        case .gzip: CC_GZIP
        case .zstd: CC_ZSTD
        }
    }
}
