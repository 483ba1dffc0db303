/// What a shard knows after a batch: how far it has read each of its files and objects, and what the decoder keeps in
/// mind.
///
/// A function of its plans alone.
package struct ShardState: Codable, Hashable, Sendable {
    /// The files, in order of first sight.
    package private(set) var files: [TrackedFile]
    /// What was read of each object.
    package private(set) var objects: ObjectLedger
    /// What the decoder keeps from batch to batch, by names of its own.
    package private(set) var values: [String: String]

    /// Creates a state; the state before the first batch is empty.
    package init(
        files: [TrackedFile] = [],
        objects: ObjectLedger = ObjectLedger(),
        values: [String: String] = [:]
    ) {
        self.files = files
        self.objects = objects
        self.values = values
    }

    private enum CodingKeys: String, CodingKey {
        case files, objects, values
    }

    /// Reads a stored state; one of format 1 has no values, and none has objects when there are none.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        files = try container.decode([TrackedFile].self, forKey: .files)
        values = try container.decodeIfPresent([String: String].self, forKey: .values) ?? [:]
        objects = try container.decodeIfPresent(ObjectLedger.self, forKey: .objects) ?? ObjectLedger()
    }

    /// Writes a state.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(files, forKey: .files)
        try container.encode(values, forKey: .values)
        if objects.count > 0 || objects.firstDay > 0 { try container.encode(objects, forKey: .objects) }
    }

    /// Takes in what a batch has read and learned.
    package mutating func apply(_ plan: BatchPlan) {
        for range in plan.ranges {
            if let index = files.firstIndex(where: { $0.id == range.file.id }) {
                files[index] = range.file
            } else {
                files.append(range.file)
            }
        }
        for range in plan.objects ?? [] { objects.apply(range) }
        if let day = plan.firstDay { objects.forget(before: day) }
        if let forgotten = plan.forgotten, !forgotten.isEmpty {
            let ids = Set(forgotten)
            files.removeAll { ids.contains($0.id) }
        }
        for change in plan.stateChanges ?? [] { values[change.key] = change.value }
    }

    /// Whether the stored state is no longer than a few plans, so that it may be stored more often.
    package var isSmall: Bool {
        8 * files.count + objects.count <= 512
            && values.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count } <= 64 << 10
    }

    /// More files than this are not kept in mind when some of them have vanished.
    package static let fileLimit = 4096

    /// Which files need not be kept in mind any longer: those that vanished long ago, and the oldest of those that
    /// vanished when there are too many.
    ///
    /// - Parameters:
    ///   - absentSince: By the id of each file that is nowhere now, since when, in microseconds since 1970-01-01 UTC.
    ///   - plannedAt: The batch's time, in the same unit.
    ///   - age: How long a file that vanished is kept, in microseconds.
    /// - Returns: Their ids, in order of first sight.
    package func forgettable(absentSince: [String: Int64], plannedAt: Int64, after age: Int64) -> [String] {
        var surplus = files.count - Self.fileLimit
        return files.filter { file in
            guard let since = absentSince[file.id] else { return false }
            surplus -= 1
            return surplus >= 0 || plannedAt - since > age
        }.map(\.id)
    }
}

/// One value of a shard's state that a batch has changed.
package struct StateChange: Codable, Hashable, Sendable {
    /// The value's name.
    package var key: String
    /// The value after the batch; nil when it is no longer kept.
    package var value: String?

    /// Creates a change.
    package init(key: String, value: String?) {
        self.key = key
        self.value = value
    }
}
