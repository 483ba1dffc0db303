import Configuration
import Intake
import Pipelines

extension LakeConfiguration {
    /// Bytes of all open row groups of all tables together.
    func openRowsByteCount(atMost largest: Int) -> Int {
        max(4 << 20, min(largest, limits.memoryByteCount / 3))
    }

    /// The delivered objects of a pipeline.
    func objectIntake(of source: ObjectSourceConfiguration) throws -> ObjectIntakeSettings {
        var settings = ObjectIntakeSettings(
            source: ObjectSource(
                patterns: source.objects.map(\.value),
                verifyPrefix: source.verifyPrefix == .tail ? .tail : .full,
                onChange: source.onChange == .report ? .report : .reingest
            )
        )
        settings.listingDayCount = source.listingDayCount
        settings.forgetDayCount = source.forgetDayCount
        settings.pollInterval = source.pollEvery
        guard let url = source.objects.first.flatMap({ S3URL($0.value) }) else { return settings }
        let store = objectStore(of: url.bucket)
        settings.bucket = S3Bucket(try BucketClients.client(of: store))
        settings.notifications = try source.notifications.map { notifications in
            ObjectIntakeSettings.Notifications(
                queue: try BucketClients.queue(of: notifications, for: store),
                listInterval: notifications.listEvery
            )
        }
        return settings
    }
}
