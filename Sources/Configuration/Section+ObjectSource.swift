import Yams

extension Section {
    /// Sources of objects that this release does not have.
    private static let unreleasedSources = ["kafka", "event_hubs"]

    /// The objects of a pipeline: `source` and the keys beside it that say how they are read.
    ///
    /// - Parameters:
    ///   - pipeline: The pipeline's name.
    ///   - example: What a pattern looks like, for advice.
    ///   - verifyPrefix: What `verify_prefix` is unless given; nil for a kind of pipeline without that key.
    ///   - onChange: What `on_change` is unless given.
    /// - Returns: nil, and a fault, when there is no source.
    func objectSource(
        of pipeline: String,
        example: String,
        verifyPrefix: ObjectSourceConfiguration.PrefixCheck?,
        onChange: ObjectSourceConfiguration.ChangePolicy
    ) -> ObjectSourceConfiguration? {
        // Everything is read before anything is given up, so that all faults show at once.
        let source = sourceSection(of: pipeline, example: example)
        let objects = source?.objectPatterns("objects", example: example)
        let verified = verifyPrefix.map { choice("verify_prefix", default: $0) } ?? .full
        let changed = choice("on_change", default: onChange)
        let forgotten = dayCount("forget_after")
        let pollEvery = duration("poll_every", default: .seconds(5))
        guard let source, let objects else { return nil }
        return ObjectSourceConfiguration(
            objects: objects,
            notifications: source.notifications("notifications", of: objects, for: pipeline),
            listingDayCount: source.listingDayCount("window", of: objects),
            forgetDayCount: forgotten,
            verifyPrefix: verified,
            onChange: changed,
            pollEvery: pollEvery
        )
    }

    private func sourceSection(of pipeline: String, example: String) -> Section? {
        guard let node = required("source", example: "{objects: \(example)}") else { return nil }
        let keys = ["objects", "window", "notifications"] + Self.unreleasedSources
        guard let source = Section(node, name: path("source"), keys: keys, context: context) else {
            return nil
        }
        let mend = "have the records delivered as files and name those: objects: \(example)"
        source.refuseUnreleased(Self.unreleasedSources, mend: mend)
        // A source that is refused needs no second fault for what stands in its place.
        if source.node("objects") == nil, Self.unreleasedSources.contains(where: { source.node($0) != nil }) {
            return nil
        }
        return source
    }
}
