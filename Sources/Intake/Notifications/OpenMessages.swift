import ObjectStorage

/// A URL of an object, told from others by its bytes: text that looks alike may be several keys.
struct ObjectURL: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: Self, right: Self) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// Messages that speak of objects which are not done with, by object.
struct OpenMessages {
    private struct Open {
        /// As it was handed out last.
        var message: QueueMessage
        /// Objects that are not done with.
        var left: Set<ObjectURL>
    }

    private var messages: [String: Open] = [:]
    /// Names of the messages about each object.
    private var named: [ObjectURL: Set<String>] = [:]

    /// The number of messages.
    var count: Int { messages.count }

    /// All objects.
    var objects: [ObjectURL] { Array(named.keys) }

    /// Whether a message was taken in before, which is handed out again.
    mutating func renew(_ message: QueueMessage) -> Bool {
        guard messages[message.id] != nil else { return false }
        messages[message.id]?.message = message
        return true
    }

    /// Takes in a message.
    mutating func add(_ message: QueueMessage, about objects: Set<ObjectURL>) {
        messages[message.id] = Open(message: message, left: objects)
        for object in objects {
            named[object, default: []].insert(message.id)
        }
    }

    /// Whether a message speaks of an object.
    func speaks(of object: ObjectURL) -> Bool { named[object] != nil }

    /// Forgets the messages that speak of an object; they are not done with.
    mutating func letGo(of object: ObjectURL) {
        for id in named[object] ?? [] {
            for other in messages.removeValue(forKey: id)?.left ?? [] {
                named[other]?.remove(id)
                if named[other]?.isEmpty == true { named[other] = nil }
            }
        }
    }

    /// An object is done with.
    ///
    /// - Returns: The messages that speak of no others.
    mutating func settle(_ object: ObjectURL) -> [QueueMessage] {
        guard let ids = named.removeValue(forKey: object) else { return [] }
        var done: [QueueMessage] = []
        for id in ids {
            messages[id]?.left.remove(object)
            if let open = messages[id], open.left.isEmpty {
                done.append(open.message)
                messages[id] = nil
            }
        }
        return done
    }
}
