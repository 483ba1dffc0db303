extension SessionStates {
    /// A value of the stored state that changed.
    package struct Change: Hashable, Sendable {
        /// The value's name.
        package var key: String
        /// The value; nil when it is no longer kept.
        package var value: String?
    }

    private static let prefix = "s/"
    private static let historyKey = "sessions"

    /// Creates the state that `takeChanges` has described; keys of others are left alone.
    package init(restoring values: [String: String], sessionLimit: Int = SessionStates.sessionLimit) {
        self.init(sessionLimit: sessionLimit)
        if let text = values[Self.historyKey] {
            log = LogHistory(text)
            storedHistory = text
        }
        for (key, value) in values where key.hasPrefix(Self.prefix) {
            var id = key.dropFirst(Self.prefix.count)
            guard let number = id.withUTF8({ LogNumbers.session(UnsafeRawBufferPointer($0)) }) else {
                continue
            }
            _ = table.insert(Session(key: number, value, names: &names))
            storedKeys.insert(number)
        }
    }

    /// What has changed since the state was restored, or since the last call; sorted by key.
    package mutating func takeChanges() -> [Change] {
        var changes: [Change] = []
        for key in Set(changedKeys) {
            let name = Self.prefix + LogNumbers.sessionID(key)
            let place = table.find(key)
            if place >= 0 {
                table.sessions[place].isChanged = false
                changes.append(Change(key: name, value: table.sessions[place].text(names: names)))
                storedKeys.insert(key)
            } else if storedKeys.remove(key) != nil {
                changes.append(Change(key: name, value: nil))
            }
        }
        changedKeys.removeAll(keepingCapacity: true)
        let history = log.text
        if log.horizon != nil, history != storedHistory {
            changes.append(Change(key: Self.historyKey, value: history))
            storedHistory = history
        }
        return changes.sorted { $0.key < $1.key }
    }
}

extension LogHistory {
    /// The history as it is stored: horizon, last restart, whether disconnections were seen.
    var text: String { "\(horizon ?? 0) \(lastRestart) \(hasDisconnections ? 1 : 0)" }

    init(_ text: String) {
        let numbers = text.split(separator: " ").map { Int($0) ?? 0 }
        guard numbers.count == 3 else { return }
        horizon = numbers[0]
        lastRestart = numbers[1]
        hasDisconnections = numbers[2] == 1
    }
}
