import Glibc

/// A pattern of absolute paths, taken apart at its slashes; `**` stands for folders of any depth.
///
/// Names that begin with `.` or `_` are meant only by a part that begins so itself.
struct ObjectPattern {
    private enum Part {
        case fixed([CChar])
        case wild([CChar])
        case anyDepth
    }

    /// As it was written, without braces.
    let text: String
    private let parts: [Part]

    /// Takes apart a pattern without braces; a folder stands for all that is in it.
    init(_ text: String, isFolder: Bool) {
        self.text = text
        var parts = text.split(separator: "/").map(String.init).filter { $0 != "." }.map { part -> Part in
            if part == "**" { return .anyDepth }
            let isWild = part.contains { "*?[\\".contains($0) }
            return isWild ? .wild(Array(part.utf8CString)) : .fixed(Array(part.utf8CString))
        }
        if isFolder || text.hasSuffix("/") { parts.append(.anyDepth) }
        self.parts = parts
    }

    /// The folder below which all lies that is meant: the parts before the first wildcard, with a slash at the end.
    var folder: String {
        var path = "/"
        for part in parts.dropLast() {
            guard case .fixed(let name) = part else { return path }
            path += String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) + "/"
        }
        return path
    }

    /// Where in the pattern a walk that begins at the root stands.
    var start: [Int] { closed([0]) }

    /// The only name that can match in a folder, with its end; nil when the folder has to be listed.
    func onlyName(at positions: [Int]) -> [CChar]? {
        guard positions.count == 1, case .fixed(let name) = parts[positions[0]] else { return nil }
        return name
    }

    /// Where the walk stands in a folder of this name; empty when nothing in it is meant.
    func positions(in name: UnsafePointer<CChar>, from positions: [Int]) -> [Int] {
        var next: [Int] = []
        for position in positions where means(name, position) {
            if case .anyDepth = parts[position] {
                next.append(position)
            } else if position + 1 < parts.count {
                next.append(position + 1)
            }
        }
        return closed(next)
    }

    /// Whether a file of this name is meant.
    func meansFile(_ name: UnsafePointer<CChar>, at positions: [Int]) -> Bool {
        positions.contains { $0 == parts.count - 1 && means(name, $0) }
    }

    /// Whether a file of this absolute path is meant.
    func means(path: String) -> Bool {
        var parts = path.split(separator: "/").map(String.init)
        guard let name = parts.popLast() else { return false }
        var positions = start
        for part in parts where !positions.isEmpty {
            positions = part.withCString { self.positions(in: $0, from: positions) }
        }
        return !positions.isEmpty && name.withCString { meansFile($0, at: positions) }
    }

    private func means(_ name: UnsafePointer<CChar>, _ position: Int) -> Bool {
        let isHidden =
            name[0] == CChar(bitPattern: UInt8(ascii: ".")) || name[0] == CChar(bitPattern: UInt8(ascii: "_"))
        switch parts[position] {
        case .anyDepth: return !isHidden
        case .fixed(let text): return strcmp(text, name) == 0
        case .wild(let text): return (!isHidden || text[0] == name[0]) && fnmatch(text, name, 0) == 0
        }
    }

    /// `**` also stands for no folder at all.
    private func closed(_ positions: [Int]) -> [Int] {
        var all = positions
        var index = 0
        while index < all.count {
            let position = all[index]
            if case .anyDepth = parts[position], position + 1 < parts.count, !all.contains(position + 1) {
                all.append(position + 1)
            }
            index += 1
        }
        return all.sorted()
    }
}
