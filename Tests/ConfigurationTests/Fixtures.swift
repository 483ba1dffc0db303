import Foundation
import Testing

@testable import Configuration

/// The smallest file that loads; `pipeline` holds further lines of its pipeline, `top` lines before it.
func yaml(top: String = "lake: ./lake", pipeline: String = "") -> String {
    """
    \(top)
    pipelines:
      pg1:
        kind: postgres
        source: {files: /logs/*.csv}
        role: primary
        table: audit.logs
    \(pipeline.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
    """
}

/// Parses `text` as the file `/etc/auditlake/auditlake.yaml`.
func parse(_ text: String, environment: [String: String] = [:]) throws -> LakeConfiguration {
    try LakeConfiguration.parse(text, path: "/etc/auditlake/auditlake.yaml", environment: environment)
}

/// The only pipeline of `text`.
func pipeline(_ text: String, environment: [String: String] = [:]) throws -> PostgresPipelineConfiguration {
    let pipelines = try parse(text, environment: environment).pipelines
    let first = try #require(pipelines.first)
    guard case .postgres(let pipeline) = first else { throw AnotherKind() }
    return pipeline
}

/// The first pipeline has not the kind that was asked for.
struct AnotherKind: Error {}

/// The smallest file with a pipeline of kind databricks; `pipeline` holds further lines of it.
func databricksYAML(objects: String = "\"logs/**/*.json\"", pipeline: String = "") -> String {
    """
    lake: ./lake
    pipelines:
      databricks_audit:
        kind: databricks
        source: {objects: \(objects)}
        schema: databricks_audit
    \(pipeline.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
    """
}

/// The first pipeline of `text`, of kind databricks.
func databricks(_ text: String) throws -> DatabricksPipelineConfiguration {
    let pipelines = try parse(text).pipelines
    guard case .databricks(let pipeline) = try #require(pipelines.first) else { throw AnotherKind() }
    return pipeline
}

/// A configuration with one pipeline of kind customer_csv; line 7 is the first of `pipeline`.
func customerYAML(objects: String = "\"csv/**/*.csv\"", pipeline: String = "") -> String {
    """
    lake: ./lake
    pipelines:
      wau:
        kind: customer_csv
        source: {objects: \(objects)}
        table: wau.wau_audit_logs
    \(pipeline.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
    """
}

/// The first pipeline of `text`, of kind customer_csv.
func customerCSV(
    _ text: String,
    environment: [String: String] = [:]
) throws -> CustomerCSVPipelineConfiguration {
    let pipelines = try parse(text, environment: environment).pipelines
    guard case .customerCSV(let pipeline) = try #require(pipelines.first) else { throw AnotherKind() }
    return pipeline
}

/// The faults of a text that must not load.
func faults(_ text: String, environment: [String: String] = [:]) -> [ConfigurationFault] {
    do {
        _ = try parse(text, environment: environment)
        return []
    } catch {
        return (error as? InvalidConfiguration)?.faults ?? []
    }
}

/// Runs `body` with an empty folder of its own, which is gone afterwards.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "auditlake-\(UUID().uuidString)")
    defer {
        do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try body(folder)
}
