import Intake

/// Which delivered objects a pipeline reads, and how it learns of them.
package struct ObjectIntakeSettings: Sendable {
    /// The delivered files.
    package var source: ObjectSource
    /// The bucket in which they lie; nil for folders of this machine.
    package var bucket: (any Bucket)?
    /// The bucket tells of new objects; nil when it is listed again and again.
    package var notifications: Notifications?
    /// Days, as keys of a bucket name them, that every listing looks at; nil for all.
    package var listingDayCount: Int?
    /// Objects that were last modified so many days before the newest one that was read are forgotten; nil for none.
    package var forgetDayCount: Int?
    /// How often the folders are looked through, while following.
    package var pollInterval = Duration.seconds(5)
    /// Rows depend on what stands before them in their object.
    package var hasHeaders = false

    /// Creates settings with the defaults above.
    package init(source: ObjectSource) { self.source = source }

    /// Notifications of a bucket's objects.
    package struct Notifications: Sendable {
        /// Where they are waited for.
        package var queue: any MessageQueue
        /// The longest time between two listings.
        package var listInterval: Duration

        /// Creates settings.
        package init(queue: any MessageQueue, listInterval: Duration = .seconds(3_600)) {
            self.queue = queue
            self.listInterval = listInterval
        }
    }

    /// The delivered objects, of which nothing has been seen yet; found by listings, whatever tells of new ones.
    ///
    /// - Parameter clock: Microseconds since 1970-01-01 UTC.
    /// - Returns: The objects.
    package func drops(clock: @escaping @Sendable () -> Int64) -> ObjectDrops {
        drops(in: bucketObjects(clock: clock), clock: clock)
    }

    /// The delivered objects of a place; those of this machine's folders when there is none.
    func drops(in place: (any ObjectPlace)?, clock: @escaping @Sendable () -> Int64) -> ObjectDrops {
        ObjectDrops(source: source, place: place, clock: { clock() * 1_000 })
    }

    /// The objects whose bucket tells of new ones; nil when it does not.
    ///
    /// - Parameter clock: Microseconds since 1970-01-01 UTC; says which days are long past.
    /// - Returns: The objects; their looks take messages from the queue.
    func notifiedObjects(clock: @escaping @Sendable () -> Int64) -> NotifiedObjects? {
        guard let notifications, let objects = bucketObjects(clock: clock) else { return nil }
        return NotifiedObjects(
            objects,
            queue: notifications.queue,
            listInterval: notifications.listInterval
        )
    }

    /// How often a bucket is listed to see what lies unread; nil where looks cost no requests.
    var listingInterval: Duration? {
        bucket == nil ? nil : notifications?.listInterval ?? pollInterval
    }

    private func bucketObjects(clock: @escaping @Sendable () -> Int64) -> BucketObjects? {
        guard let bucket else { return nil }
        let window = listingDayCount.map { count in
            BucketObjects.Window { now in
                UTCDay.text(days: UTCDay.days(microseconds: now / 1_000) - Int64(count) + 1)
            }
        }
        return BucketObjects(bucket, patterns: source.patterns, window: window, clock: { clock() * 1_000 })
    }
}
