import AuditFormats
import Configuration
import Pipelines

extension LakeConfiguration {
    /// What a pipeline of Databricks audit events needs to run.
    func settings(of pipeline: DatabricksPipelineConfiguration) throws -> DatabricksPipelineSettings {
        let objects = try objectIntake(of: pipeline.source)
        var settings = DatabricksPipelineSettings(
            name: pipeline.name,
            source: objects.source,
            catalog: catalog.value,
            schema: pipeline.schema.value
        )
        settings.objects = objects
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
        settings.rowGroupByteCount = openRowsByteCount(
            atMost: DatabricksPipelineSettings.largestOpenRowsByteCount
        )
        settings.configuredPipelines = Set(pipelines.map(\.name))
        settings.onDataLoss = pipeline.onDataLoss == .fail ? .fail : .continue
        settings.commitInterval = pipeline.commitEvery
        return settings
    }
}
