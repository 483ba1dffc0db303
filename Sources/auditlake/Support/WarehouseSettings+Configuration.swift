import Configuration
import Foundation
import ObjectStorage
import Pipelines
import Warehouse

extension LakeConfiguration {
    /// What a pipeline loads, and where; nil for one that loads nothing.
    func load(of pipeline: Pipeline) throws -> PipelineLoad? {
        guard let load = pipeline.load, let warehouse = warehouses.first(where: { $0.name == load.warehouse })
        else {
            return nil
        }
        let task = LoadTask(
            pipeline: pipeline.name,
            lakeTable: try settings(of: pipeline).mainTable.description,
            target: TargetName(schema: load.schema, table: load.table),
            key: load.key
        )
        return PipelineLoad(warehouse: warehouse.name, settings: try settings(of: warehouse), task: task)
    }

    private func settings(of warehouse: WarehouseConfiguration) throws -> WarehouseSettings {
        switch warehouse.kind {
        case .postgres: return .postgres(url: warehouse.url.value)
        case .redshift(let redshift):
            let client = try BucketClients.client(of: objectStore(of: redshift.bucket))
            let access: RedshiftSettings.Access =
                switch redshift.access {
                case .role(let role): .role(role.value)
                case .keys(let id, let secret, let token):
                    .keys(id: id.value, secret: secret.value, sessionToken: token?.value)
                }
            let settings = RedshiftSettings(
                store: S3Store(client: client, prefix: redshift.prefix),
                access: access
            )
            return .redshift(url: warehouse.url.value, settings)
        }
    }
}

/// What a pipeline loads, and where.
struct PipelineLoad: Sendable {
    /// The warehouse's name.
    var warehouse: String
    /// How it is reached.
    var settings: WarehouseSettings
    /// Which table goes where.
    var task: LoadTask
}
