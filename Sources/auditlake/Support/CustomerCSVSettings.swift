import AuditFormats
import Catalog
import Configuration
import Pipelines

extension LakeConfiguration {
    /// What a pipeline of customers' CSV files needs to run.
    func settings(of pipeline: CustomerCSVPipelineConfiguration) throws -> CustomerCSVPipelineSettings {
        let objects = try objectIntake(of: pipeline.source)
        var settings = CustomerCSVPipelineSettings(
            name: pipeline.name,
            source: objects.source,
            table: TableName(
                catalog: catalog.value,
                schema: pipeline.table.value.schema,
                table: pipeline.table.value.table
            ),
            decoding: try decoding(of: pipeline)
        )
        settings.objects = objects
        settings.objects.hasHeaders = true
        if case .path(let pattern) = pipeline.customer { settings.customerPath = CustomerPath(pattern.value) }
        settings.batchByteCount = UInt64(pipeline.batchByteCount)
        settings.rowGroupByteCount = openRowsByteCount(
            atMost: CustomerCSVPipelineSettings.largestOpenRowsByteCount
        )
        settings.configuredPipelines = Set(pipelines.map(\.name))
        settings.onDataLoss = pipeline.onDataLoss == .fail ? .fail : .continue
        settings.commitInterval = pipeline.commitEvery
        return settings
    }

    private func decoding(of pipeline: CustomerCSVPipelineConfiguration) throws -> CustomerCSVSettings {
        var settings = CustomerCSVSettings()
        if case .column(let name) = pipeline.customer { settings.customerColumn = name.value }
        settings.eventTimeColumn = pipeline.eventTimeColumn?.value
        settings.separator = pipeline.separator == .auto ? nil : pipeline.separator.rawValue.utf8.first
        settings.declared = try pipeline.columnTypes.mapValues { try $0.columnType }
        settings.excluded = Set(pipeline.excludedColumns.map { $0.value.lowercased() })
        settings.masks = pipeline.masks.mapValues(\.columnMask)
        settings.maskKey = pipeline.maskKey.map { Array($0.value.utf8) }
        settings.maxRecordBytes = pipeline.maxRecordByteCount
        return settings
    }
}

extension CustomerCSVPipelineConfiguration.ColumnType {
    /// The same for the decoder.
    fileprivate var columnType: CSVColumnType {
        get throws {
            switch self {
            case .text: .text
            case .integer: .integer
            case .double: .double
            case .boolean: .boolean
            case .timestamp(let format): .timestamp(try format.map { try TimestampFormat($0) } ?? .iso)
            }
        }
    }
}

extension CustomerCSVPipelineConfiguration.Mask {
    /// The same for the decoder.
    fileprivate var columnMask: ColumnMask {
        switch self {
        case .hash: .hash
        case .drop: .drop
        case .truncate(let count): .truncate(count)
        }
    }
}
