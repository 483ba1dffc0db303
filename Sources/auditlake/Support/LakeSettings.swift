import ArgumentParser
import AuditFormats
import Catalog
import Configuration
import Foundation
import Intake
import ObjectStorage
import Pipelines

/// The options that every command has.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The configuration file.")
    var config = "auditlake.yaml"

    /// Reads the configuration.
    func load() throws -> LakeConfiguration {
        try LakeConfiguration.load(path: config, environment: ProcessInfo.processInfo.environment)
    }
}

/// How a command prints its result.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case table
    /// For programs.
    case json
}

extension LakeConfiguration {
    /// The lake that the configuration names.
    func openableLake() throws -> Lake {
        switch lake.value {
        case .folder(let path): Lake(store: LocalStore(root: path))
        case .s3(let bucket, let prefix):
            Lake(
                store: S3Store(client: try BucketClients.client(of: objectStore(of: bucket)), prefix: prefix)
            )
        }
    }

    /// The pipelines of these names, or all.
    func pipelines(named names: [String]) throws -> [Pipeline] {
        guard !names.isEmpty else { return pipelines }
        return try names.map { name in
            guard let pipeline = pipeline(named: name) else {
                let known = pipelines.map(\.name).joined(separator: ", ")
                throw UsageError(
                    message: "there is no pipeline \(name)",
                    mend: "the configuration has: \(known)"
                )
            }
            return pipeline
        }
    }

    /// Bytes of an open row group: one is filled, one waits and one is compressed, each in buffers of up to twice its size.
    private var rowGroupByteCount: Int {
        max(1 << 20, min(PostgresPipelineSettings.largestRowGroupByteCount, limits.memoryByteCount / 8))
    }

    /// The machine's name, without asking the network.
    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What a pipeline needs to run.
    func settings(of pipeline: Pipeline) throws -> PipelineSettings {
        switch pipeline {
        case .postgres(let pipeline): .postgres(try settings(of: pipeline))
        case .databricks(let pipeline): .databricks(try settings(of: pipeline))
        case .customerCSV(let pipeline): .customerCSV(try settings(of: pipeline))
        }
    }

    /// What a pipeline needs to run.
    func settings(of pipeline: PostgresPipelineConfiguration) throws -> PostgresPipelineSettings {
        var decoding = PostgresDecoderSettings(role: pipeline.role.value, node: pipeline.node.value)
        if let zone = pipeline.timeZone {
            decoding.zone = LogTimeZone(transitions: try TimeZoneFile.transitions(of: zone.value))
        }
        decoding.normalizesStatements = pipeline.statement == .normalized
        decoding.redactsSecrets = pipeline.redact
        decoding.keepsAuditEventsOnly = pipeline.keep == .audit
        decoding.excludedRoles = pipeline.excludedRoles.map(\.value)
        decoding.excludedApplications = pipeline.excludedApplications.map(\.value)
        decoding.maxRecordBytes = pipeline.maxRecordByteCount
        decoding.maxPendingBytes = pipeline.maxPendingByteCount
        let source = TailedFileSource(
            patterns: pipeline.files.map(\.value),
            host: Self.hostName,
            currentLogfiles: pipeline.currentLogfiles?.value
        )
        let target = TableName(
            catalog: catalog.value,
            schema: pipeline.table.value.schema,
            table: pipeline.table.value.table
        )
        var settings = PostgresPipelineSettings(
            name: pipeline.name,
            source: source,
            table: target,
            decoding: decoding
        )
        settings.format = LogFormat(rawValue: pipeline.fileFormat.rawValue)
        settings.batchByteCount = UInt64(pipeline.batchByteCount)
        settings.rowGroupByteCount = rowGroupByteCount
        settings.configuredPipelines = Set(pipelines.map(\.name))
        settings.commitInterval = pipeline.commitEvery
        settings.forgetAfter = pipeline.forgetAfter.components.seconds * 1_000_000
        settings.start =
            switch pipeline.start {
            case .earliest: .earliest
            case .latest: .latest
            case .time(let time): .time(time)
            }
        settings.spool = spool.map { spool in
            SpoolSettings(
                folder: SpoolSettings.folder(
                    in: spool.folder,
                    of: pipeline.name,
                    lake: lake.value.description
                ),
                limits: Spool.Limits(
                    byteCount: UInt64(spool.maxByteCount),
                    diskFloor: UInt64(spool.diskFloorByteCount)
                )
            )
        }
        settings.onDataLoss = pipeline.onDataLoss == .fail ? .fail : .continue
        return settings
    }
}

/// Microseconds since 1970-01-01 UTC.
@Sendable func wallClock() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
