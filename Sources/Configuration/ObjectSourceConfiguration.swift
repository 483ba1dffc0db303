/// The delivered objects that a pipeline reads.
package struct ObjectSourceConfiguration: Hashable, Sendable {
    /// How much of a file that grew is compared with what was read of it.
    package enum PrefixCheck: String, CaseIterable, Sendable {
        /// The last piece that was read.
        case tail
        /// All that was read.
        case full
    }

    /// What happens with a file whose old content changed.
    package enum ChangePolicy: String, CaseIterable, Sendable {
        /// It is reported and left alone.
        case report
        /// It is read again as a whole, and its rows are marked as a correction.
        case reingest
    }

    /// Absolute paths or URLs of one bucket, with wildcards, at least one.
    package var objects: [Setting<String>]
    /// Where their bucket tells of new ones; nil when it is listed again and again.
    package var notifications: NotificationsConfiguration?
    /// Days that every listing of a bucket looks at, by the names of its folders; nil for all.
    package var listingDayCount: Int?
    /// Objects that were last modified so many days before the newest one that was read are forgotten; nil for none.
    package var forgetDayCount: Int?
    /// How much of a file that grew is compared with what was read of it.
    package var verifyPrefix: PrefixCheck
    /// What happens with a file whose old content changed.
    package var onChange: ChangePolicy
    /// How often the folders are looked through, while following.
    package var pollEvery: Duration
}
