/// A session as it is stored: words of a letter and values with commas between. A word that says nothing is left out.
extension Session {
    /// The session's text, without its key.
    func text(names: RoleNames) -> String {
        var words = ["l\(lastLine),\(lastTime)"]
        if !flags.isEmpty { words.append("f\(flags.rawValue)") }
        if transaction != 0 { words.append("v\(transaction.hex)") }
        if role != RoleState() { words.append("r\(role.text(names))") }
        if roleAtStart != RoleState() { words.append("b\(roleAtStart.text(names))") }
        if statement != Statement() { words.append("q\(statement.text)") }
        if textStatement != 0 {
            let recent = recentTexts.pairs.map { ",\($0.substatement):\($0.line)" }.joined()
            words.append("x\(textStatement),\(textLine)\(recent)")
        }
        if repeats != 0 { words.append("w\(repeatedText.hex),\(repeats.hex)") }
        if !ranges.isEmpty {
            words.append("g" + ranges.map { "\($0.first)-\($0.last)" }.joined(separator: ","))
        }
        for savepoint in savepoints {
            let name = savepoint.name.percentEncoded
            words.append("p\(name),\(savepoint.firstRange),\(savepoint.role.text(names))")
        }
        return words.joined(separator: " ")
    }

    /// Reads a text; words of later releases are skipped.
    init(key: UInt64, _ text: String, names: inout RoleNames) {
        self.init(key: key)
        for word in text.split(separator: " ") {
            let fields = word.dropFirst().split(separator: ",", omittingEmptySubsequences: false)
            read(word.first, fields, names: &names)
        }
    }

    private mutating func read(_ letter: Character?, _ fields: [Substring], names: inout RoleNames) {
        switch letter {
        case "l" where fields.count == 2:
            lastLine = Int(fields[0]) ?? 0
            lastTime = Int64(fields[1]) ?? .min
        case "f":
            flags = Flags(rawValue: UInt16(fields[0]) ?? 0)
        case "v":
            transaction = UInt64(hex: fields[0])
        case "r":
            role = RoleState(fields[...], names: &names)
        case "b":
            roleAtStart = RoleState(fields[...], names: &names)
        case "q" where fields.count == 8:
            statement = Statement(fields)
        case "x" where fields.count >= 2:
            textStatement = Int(fields[0]) ?? 0
            textLine = Int(fields[1]) ?? 0
            recentTexts = RecentTexts(
                fields.dropFirst(2).map { pair in
                    let numbers = pair.split(separator: ":").map { Int($0) ?? 0 }
                    return (numbers.first ?? 0, numbers.last ?? 0)
                }
            )
        case "w" where fields.count == 2:
            repeatedText = UInt64(hex: fields[0])
            repeats = UInt64(hex: fields[1])
        case "g":
            ranges = fields.map { range in
                let lines = range.split(separator: "-").map { Int($0) ?? 0 }
                return LineRange(first: lines.first ?? 0, last: lines.last ?? 0)
            }
        case "p" where fields.count == 6:
            let name = fields[0].percentDecoded
            let role = RoleState(fields[2...], names: &names)
            savepoints.append(Savepoint(name: name, firstRange: Int(fields[1]) ?? 0, role: role))
        default:
            break
        }
    }
}

extension Statement {
    fileprivate var text: String {
        let flags = (hasBegun ? 1 : 0) + (isOpen ? 2 : 0)
        return
            "\(id),\(firstLine),\(lastLine),\(queryID.hex),\(textHash.hex),\(flags),\(rangesBefore),\(endBefore)"
    }

    fileprivate init(_ fields: [Substring]) {
        let flags = Int(fields[5]) ?? 0
        self.init(
            id: Int(fields[0]) ?? 0,
            firstLine: Int(fields[1]) ?? 0,
            lastLine: Int(fields[2]) ?? 0,
            queryID: UInt64(hex: fields[3]),
            textHash: UInt64(hex: fields[4]),
            hasBegun: flags & 1 != 0,
            isOpen: flags & 2 != 0,
            rangesBefore: Int(fields[6]) ?? 0,
            endBefore: Int(fields[7]) ?? 0
        )
    }
}

extension RoleState {
    /// Four names; nothing for none, `-` for one that is not set for the transaction.
    fileprivate func text(_ names: RoleNames) -> String {
        [authorization, role, localAuthorization, localRole].map { number in
            number < 0 ? "-" : number == 0 ? "" : "=" + names.name(number).percentEncoded
        }
        .joined(separator: ",")
    }

    fileprivate init(_ fields: ArraySlice<Substring>, names: inout RoleNames) {
        self.init()
        guard fields.count == 4 else { return }
        let numbers = fields.map { field in
            field == "-" ? -1 : field.isEmpty ? 0 : names.number(of: field.dropFirst().percentDecoded)
        }
        (authorization, role, localAuthorization, localRole) = (
            numbers[0], numbers[1], numbers[2], numbers[3]
        )
    }
}

extension UInt64 {
    fileprivate var hex: String { String(self, radix: 16) }

    fileprivate init(hex: some StringProtocol) { self = UInt64(hex, radix: 16) ?? 0 }
}

extension StringProtocol {
    /// ASCII letters, digits and `_` as they are, every other byte as `%` and two digits.
    fileprivate var percentEncoded: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += byte < 16 ? "%0" : "%"
                text += String(byte, radix: 16)
            }
        }
        return text
    }

    fileprivate var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                bytes.append(UInt8(digits, radix: 16) ?? byte)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
