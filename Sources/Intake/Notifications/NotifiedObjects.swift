import Glibc
import ObjectStorage

/// The objects of a bucket that tells of new ones through a queue.
///
/// The listing is the truth: the first look lists, and so does one in each interval, for notifications that were lost. All other looks
/// ask for the objects that messages name, and for nothing when there are none. A message is a hint and no more: what it says of its
/// object is forgotten, the object is asked and taken as a listed one is. The message is deleted when nothing of what was there after
/// it came is unread: all of it has a receipt, or was known, or the object is gone. Until then it stays in the queue.
///
/// What is kept in mind has bounds, beyond which nothing is lost: messages about objects that cannot be read are left to the queue,
/// which hands them out again; where more objects of a listing are unread than are kept in mind, the next look lists; and of those that
/// cannot be read the rest waits for the next listing.
///
/// Belongs to one thread; the inbox alone is shared with the one that receives.
package final class NotifiedObjects: ObjectPlace {
    private let base: BucketObjects
    private let queue: any MessageQueue
    private let bucket: String
    private var listing: Recurrence
    private let limits: Limits
    /// Where another thread puts what it receives; nil when each look receives what there is.
    private var inbox: NotificationInbox?
    private var open = OpenMessages()
    /// Objects that a look has found and that were not done with by then, by the version that it found; empty for one that did not answer.
    private var unfinished: [ObjectURL: String] = [:]
    /// Whether more were unread than are kept in mind.
    private var hasForgotten = false
    /// Those that the look under way could not look at.
    private var unanswered: Set<ObjectURL> = []
    /// Whether the last look has looked at an object.
    private var wasLookedAt: (ObjectURL) -> Bool = { _ in false }
    /// Messages that are to be deleted, by name.
    private var done: [String: QueueMessage] = [:]
    private var deleteFailure: StorageError?
    private var receiveFailure: StorageError?
    /// Names of messages that are no notifications.
    private var strangers: Set<String> = []
    private var remarks: [ObjectSource.Remark] = []

    /// Whether messages wait for the receipt of what the last look has found: the next look deletes them.
    package private(set) var awaitsReceipts = false
    /// What has become of messages.
    package private(set) var counts = NotificationCounts()
    /// Whether the queue may have messages that no look has taken.
    package private(set) var hasMore = false

    /// How much is kept in mind.
    package struct Limits: Sendable {
        /// Messages whose objects are not done with; no more are taken before some are.
        package var messages = 1_000
        /// Objects that a look has found and that are not done with; one with a message has room in any case.
        package var objects = 10_000

        /// The usual ones.
        package init() {}
    }

    /// How long such a look waits for a message: the shortest time for which the service asks all its machines.
    private static let shortWait = Duration.seconds(1)
    /// Messages that are no notifications, as far as they are told one by one.
    private static let strangerLimit = 1_000

    /// Has seen nothing yet.
    ///
    /// - Parameters:
    ///   - base: The objects.
    ///   - queue: Has the notifications of their bucket, and of no other pipeline.
    ///   - listInterval: The longest time between two listings.
    ///   - limits: How much is kept in mind.
    ///   - uptime: In nanoseconds, by a clock that nobody sets.
    package init(
        _ base: BucketObjects,
        queue: any MessageQueue,
        listInterval: Duration = .seconds(3_600),
        limits: Limits = Limits(),
        uptime: @escaping () -> Int64 = Uptime.nanoseconds
    ) {
        self.base = base
        self.queue = queue
        self.limits = limits
        listing = Recurrence(every: listInterval, uptime: uptime)
        bucket = String(base.bucketURL.dropFirst("s3://".count))
    }

    /// From now on another thread receives; looks take what it has put into the inbox.
    ///
    /// - Returns: The inbox, and the queue to fill it from.
    package func receiveElsewhere() -> (inbox: NotificationInbox, queue: any MessageQueue) {
        let inbox = inbox ?? NotificationInbox()
        self.inbox = inbox
        return (inbox, queue)
    }

    package func list(_ body: (ListedObject) throws -> Void) throws -> ListingReport {
        try list(unless: { _, _ in false }, body)
    }

    package func list(
        unless isKnown: (String, String) -> Bool,
        _ body: (ListedObject) throws -> Void
    ) throws -> ListingReport {
        settle(isKnown)
        takeMessages(isKnown)
        unanswered = []
        var report: ListingReport
        // Who hears nothing has to look.
        if listing.isDue || hasForgotten || receiveFailure != nil {
            report = try base.list(body)
            // The queue comes after what is there.
            if !listing.wasDone { hasMore = inbox == nil }
            listing.note()
            hasForgotten = false
            let isLeaptOver = report.isLeaptOver ?? { _ in false }
            wasLookedAt = { !isLeaptOver($0.text) }
        } else {
            report = try look(body)
        }
        report.remarks += remarks
        report.unreadable += [receiveFailure, deleteFailure].compactMap(\.self)
        return report
    }

    /// Looks at the objects that messages name, and at those that earlier looks have left.
    private func look(_ body: (ListedObject) throws -> Void) throws -> ListingReport {
        var named = Set(open.objects)
        named.formUnion(unfinished.keys)
        wasLookedAt = { named.contains($0) }
        var look = try base.look(at: named.compactMap { base.key(of: $0.text) }, body)
        unanswered = Set(look.unanswered.map(url))
        look.report.isLeaptOver = { !named.contains(ObjectURL($0)) }
        return look.report
    }

    private func url(_ key: String) -> ObjectURL { ObjectURL("\(base.bucketURL)/\(key)") }

    package func conclude(unread: [FoundObject], failing: [FoundObject]) -> [StorageError] {
        unfinished = unfinished.filter { !wasLookedAt($0.key) }
        for object in unread where wasLookedAt(ObjectURL(object.key)) {
            if !keep(ObjectURL(object.key), object.version) { hasForgotten = true }
        }
        let broken =
            failing.map { (ObjectURL($0.key), $0.version) }.filter { wasLookedAt($0.0) }
            + unanswered.map { ($0, "") }
        for (object, version) in broken {
            open.letGo(of: object)
            keep(object, version)
        }
        awaitsReceipts = unread.contains { open.speaks(of: ObjectURL($0.key)) }
        for object in open.objects where wasLookedAt(object) {
            if unfinished[object] == nil { finish(open.settle(object)) }
        }
        deleteDone()
        return [deleteFailure].compactMap(\.self)
    }

    /// Keeps an object in mind; false when there is no room for it.
    @discardableResult
    private func keep(_ object: ObjectURL, _ version: String) -> Bool {
        guard unfinished.count < limits.objects || open.speaks(of: object) else { return false }
        unfinished[object] = version
        return true
    }

    /// Lets go of objects whose version of the last look has come to a receipt.
    private func settle(_ isKnown: (String, String) -> Bool) {
        for (object, version) in unfinished where isKnown(object.text, version) {
            unfinished[object] = nil
            finish(open.settle(object))
        }
        deleteDone()
    }

    // MARK: Messages

    private func takeMessages(_ isKnown: (String, String) -> Bool) {
        if let inbox {
            guard open.count < limits.messages else { return }
            let (messages, failure) = inbox.take()
            receiveFailure = failure
            for message in messages { take(message, isKnown) }
            deleteDone()
        } else if listing.wasDone {
            receive(isKnown)
        }
    }

    /// Receives what there is, as far as it is new and there is room for it.
    private func receive(_ isKnown: (String, String) -> Bool) {
        hasMore = false
        var hasNews = true
        while hasNews {
            guard open.count < limits.messages else { return }
            hasNews = false
            do {
                let messages = try queue.receive(wait: Self.shortWait)
                receiveFailure = nil
                for message in messages where take(message, isKnown) { hasNews = true }
            } catch {
                receiveFailure = Self.storageError(error)
            }
            deleteDone()
            hasMore = hasNews && deleteFailure == nil
            // What cannot be deleted is handed out again and again.
            guard hasMore else { return }
        }
    }

    /// Sorts a message in; whether it was not there before.
    @discardableResult
    private func take(_ message: QueueMessage, _ isKnown: (String, String) -> Bool) -> Bool {
        if open.renew(message) { return false }
        switch ObjectNotification(message.body) {
        case .unknown: return takeStranger(message)
        case .test: finish([message])
        case .objects(let made, _):
            counts.received += 1
            let meant = made.filter { $0.bucket == bucket && base.means(url($0.key).text) }
            if meant.isEmpty { counts.ofOthers += 1 }
            let objects = meant.filter { object in
                object.etag.map { !isKnown(url(object.key).text, $0) } ?? true
            }
            if objects.isEmpty {
                finish([message])
            } else {
                let urls = Set(objects.map { url($0.key) })
                open.add(message, about: urls)
                // What an earlier look has found is no answer to it.
                for url in urls { unfinished[url] = nil }
            }
        }
        return true
    }

    private func takeStranger(_ message: QueueMessage) -> Bool {
        guard strangers.count < Self.strangerLimit else { return false }
        guard strangers.insert(message.id).inserted else { return false }
        counts.strange += 1
        remarks.append(.isNoNotification(message: message.id))
        return true
    }

    private func finish(_ messages: [QueueMessage]) { for message in messages { done[message.id] = message } }

    /// Deletes what is done with; what fails is tried again at the next look, and would be harmless to be met again.
    private func deleteDone() {
        guard !done.isEmpty else { return }
        do {
            try queue.delete(Array(done.values))
            counts.deleted += done.count
            done = [:]
            deleteFailure = nil
        } catch {
            deleteFailure = Self.storageError(error)
            if done.count > limits.messages { done = [:] }
        }
    }

    private static func storageError(_ error: any Error) -> StorageError {
        error as? StorageError ?? StorageError(errno: EIO, operation: "use", path: "the queue")
    }

    // MARK: Objects

    package func means(_ key: String) throws -> Bool { base.means(key) }

    package func folders() throws -> [String] { try base.folders() }

    package func expect(_ objects: [FoundObject]) { base.expect(objects) }

    package func open(_ key: String) throws -> (any ObjectBytes)? { try base.open(key) }
}

/// What has become of the messages of a queue.
package struct NotificationCounts: Hashable, Sendable {
    /// Notifications that were received, also those that were met again after they were done with.
    package var received = 0
    /// Of these, those of other buckets or keys, and of removals and the like.
    package var ofOthers = 0
    /// Messages that are no notifications; they were left in the queue.
    package var strange = 0
    /// Messages that were deleted.
    package var deleted = 0

    /// Nothing has come.
    package init() {}
}
