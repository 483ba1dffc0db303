import Foundation
import Testing

@testable import Query

/// Files behind URLs.
///
/// That they are read is seen by the tests against servers.
@Suite struct QueryBucketTests {
    private static let bucket = QueryBucket(
        name: "acme-lake",
        endpoint: "http://127.0.0.1:9",
        region: "eu-central-1",
        isPathStyle: true,
        keyID: "AKID",
        secret: "s3cr'3t",
        sessionToken: "t0k3n"
    )

    @Test func aQuerySeesNeitherKeysNorOtherObjects() async throws {
        try await LakeFixture.with(buckets: [Self.bucket]) { lake async throws in
            let file = try await lake.file("t.parquet", "select 1 a")
            let scope = LakeFixture.scope([LakeFixture.table("main.s.t", files: [file])])
            #expect(try await lake.text("from s.t", over: scope) == "a\n1\n")
            let secrets = try await lake.text("select secret_string from duckdb_secrets()", over: scope)
            #expect(secrets.contains("AKID"))
            #expect(!secrets.contains("s3cr") && !secrets.contains("t0k3n"))
            for sql in [
                "from duckdb_secrets(redact = false)", "set allow_unredacted_secrets = true",
                "from 's3://acme-lake/x.parquet'", "from read_text('s3://acme-lake/x')",
                "create secret (type s3, scope 's3://other')", "from 'http://127.0.0.1:9/x.csv'",
                "copy (select 1) to 's3://acme-lake/y.parquet'",
            ] {
                let error = try await lake.error(sql, over: scope)
                #expect(!error.description.contains("s3cr") && !error.description.contains("127.0.0.1:9: "))
            }
        }
    }

    @Test func keysShowInNoDescription() {
        var text = ""
        dump(Self.bucket, to: &text)
        text += "\(Self.bucket)" + String(reflecting: Self.bucket)
        #expect(text.contains("acme-lake") && !text.contains("s3cr") && !text.contains("t0k3n"))
    }

    @Test func anEngineWithoutTheExtensionIsTold() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "engine-\(UUID().uuidString)")
        defer { removeQuietly(folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let engine = folder.appending(path: "duckdb").path
        try FileManager.default.copyItem(atPath: "/bin/true", toPath: engine)
        try await LakeFixture.with(engine: engine, buckets: [Self.bucket]) { lake async throws in
            let error = try await lake.error("select 1", over: LakeFixture.scope([]))
            #expect(error.code == .engineMissing)
            #expect(error.description.contains("httpfs"))
        }
    }
}
