/// The typed content of an `auditlake.yaml`.
///
/// Every value is checked and every variable replaced; relative paths have been made absolute from the folder
/// of the file.
package struct LakeConfiguration: Hashable, Sendable {
    /// Where the tables lie.
    package var lake: Setting<LakeLocation>
    /// First part of every table name.
    package var catalog: Setting<String>
    /// The pipelines, in file order.
    package var pipelines: [Pipeline]
    /// The warehouses, in file order.
    package var warehouses: [WarehouseConfiguration]
    /// What the file says of buckets.
    package var objectStores: [ObjectStoreConfiguration]
    /// Where logs are kept while the lake is down; nil for nowhere.
    package var spool: SpoolConfiguration?
    /// The spool's folder where the file names none.
    package var standardSpoolFolder: String
    /// What the process may use.
    package var limits: Limits

    /// The pipeline of a name; nil when the file has none such.
    package func pipeline(named name: String) -> Pipeline? { pipelines.first { $0.name == name } }
}

/// Where a lake lies.
package enum LakeLocation: Hashable, Sendable, CustomStringConvertible {
    /// An absolute path.
    case folder(String)
    /// A bucket and a key prefix without slashes at its ends; the prefix may be empty.
    case s3(bucket: String, prefix: String)

    /// The path, or the `s3://` URL.
    package var description: String {
        switch self {
        case .folder(let path): path
        case .s3(let bucket, let prefix): prefix.isEmpty ? "s3://\(bucket)" : "s3://\(bucket)/\(prefix)"
        }
    }
}

/// One pipeline, by its kind.
package enum Pipeline: Hashable, Sendable {
    /// PostgreSQL logs into one table.
    case postgres(PostgresPipelineConfiguration)
    /// Databricks audit events into bronze, silver and gold tables.
    case databricks(DatabricksPipelineConfiguration)
    /// CSV files of customers into one table.
    case customerCSV(CustomerCSVPipelineConfiguration)

    /// The pipeline's name in the file.
    package var name: String {
        switch self {
        case .postgres(let pipeline): pipeline.name
        case .databricks(let pipeline): pipeline.name
        case .customerCSV(let pipeline): pipeline.name
        }
    }
}

extension Pipeline {
    /// The table that the file names; nil for a pipeline that fills a schema.
    var ownTable: Setting<ConfiguredTable>? {
        switch self {
        case .postgres(let pipeline): pipeline.table
        case .databricks: nil
        case .customerCSV(let pipeline): pipeline.table
        }
    }

    /// Where the rows of the pipeline's main table go besides the lake; nil for nowhere.
    package var load: LoadConfiguration? {
        switch self {
        case .postgres(let pipeline): pipeline.load
        case .databricks(let pipeline): pipeline.load
        case .customerCSV(let pipeline): pipeline.load
        }
    }
}

/// What the process may use.
package struct Limits: Hashable, Sendable {
    /// Budget of all open table builders together, in bytes.
    package var memoryByteCount: Int
}
