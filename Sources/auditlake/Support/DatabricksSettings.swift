import AuditFormats
import Configuration
import Intake
import ObjectStorage
import Pipelines

extension LakeConfiguration {
    /// Bytes of all open row groups of all tables together.
    private var openRowsByteCount: Int {
        max(4 << 20, min(DatabricksPipelineSettings.largestOpenRowsByteCount, limits.memoryByteCount / 3))
    }

    /// What a pipeline of Databricks audit events needs to run.
    func settings(of pipeline: DatabricksPipelineConfiguration) throws -> DatabricksPipelineSettings {
        let source = ObjectSource(
            patterns: pipeline.objects.map(\.value),
            verifyPrefix: pipeline.verifyPrefix == .tail ? .tail : .full,
            onChange: pipeline.onChange == .report ? .report : .reingest
        )
        var settings = DatabricksPipelineSettings(
            name: pipeline.name,
            source: source,
            catalog: catalog.value,
            schema: pipeline.schema.value
        )
        if let url = pipeline.objects.first.flatMap({ S3URL($0.value) }) {
            let store = objectStore(of: url.bucket)
            settings.bucket = S3Bucket(try BucketClients.client(of: store))
            settings.notifications = try pipeline.notifications.map { notifications in
                DatabricksPipelineSettings.Notifications(
                    queue: try BucketClients.queue(of: notifications, for: store),
                    listInterval: notifications.listEvery
                )
            }
        }
        settings.forgetDayCount = pipeline.forgetDayCount
        settings.listingDayCount = pipeline.listingDayCount
        settings.decoding.strip = Set(
            pipeline.strip.compactMap { AuditFormats.EmptyValue(rawValue: $0.rawValue) }
        )
        settings.decoding.maxRecordBytes = pipeline.maxRecordByteCount
        settings.decoding.maxPendingBytes = pipeline.maxPendingByteCount
        for (rule, action) in pipeline.expectations {
            if let rule = EventRule(rawValue: rule.rawValue) {
                settings.decoding.actions[rule] = RuleAction(rawValue: action.rawValue)
            } else if let rule = DatabricksPipelineSettings.TableRule(rawValue: rule.rawValue) {
                settings.tableRules[rule] = action == .warn ? .warn : .fail
            }
        }
        settings.batchByteCount = UInt64(pipeline.batchByteCount)
        settings.rowGroupByteCount = openRowsByteCount
        settings.configuredPipelines = Set(pipelines.map(\.name))
        settings.onDataLoss = pipeline.onDataLoss == .fail ? .fail : .continue
        settings.commitInterval = pipeline.commitEvery
        settings.pollInterval = pipeline.pollEvery
        return settings
    }
}
