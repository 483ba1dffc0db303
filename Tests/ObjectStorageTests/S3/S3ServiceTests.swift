import Foundation
import ObjectStorage
import Synchronization
import Testing

/// The client against a real service, when AUDITLAKE_S3_ENDPOINT names one.
///
/// Keys come from the usual variables; AUDITLAKE_S3_BUCKET names a bucket that may be filled. The service must check
/// signatures. `IntegrationTests/s3_client_test.py` starts one and runs this.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["AUDITLAKE_S3_ENDPOINT"] != nil))
final class S3ServiceTests {
    private let client: S3Client
    private let store: S3Store
    private static let environment = ProcessInfo.processInfo.environment
    private static let settings = S3Settings(
        endpoint: environment["AUDITLAKE_S3_ENDPOINT"],
        region: environment["AWS_REGION"] ?? "us-east-1",
        bucket: environment["AUDITLAKE_S3_BUCKET"] ?? "lake",
        pathStyle: true,
        certificates: environment["AWS_CA_BUNDLE"]
    )

    init() throws {
        let chain = CredentialsChain(CredentialsContext(environment: Self.environment, region: "us-east-1"))
        client = try S3Client(Self.settings, credentials: RefreshedCredentials(chain))
        store = S3Store(client: client, prefix: "tests/\(RandomName.make())")
    }

    deinit {
        try? store.removeFolder("t")
        try? client.shutdown()
    }

    /// Keys with all that a URL, a signature or XML treats specially.
    private static let names = [
        "plain", "a b", "a+b", "a&b=c?d#e", "ü/日本/😀", "<x>\"'", "100%41", "~-._!*'();:@$,[]", "x=1/y=%20",
        "back\\slash", "c:\\x",
    ]

    @Test("an object of any name is put, looked at, read, listed and removed", arguments: names)
    func roundTrip(name: String) throws {
        let key = "t/\(name)"
        let bytes = Array("content of \(name)".utf8)
        #expect(try store.putIfAbsent(key, bytes))
        #expect(try !store.putIfAbsent(key, [1]))
        #expect(try store.exists(key))
        #expect(try store.read(key) == bytes)
        var listed: [String] = []
        try client.list(prefix: String(store.path("t/").dropFirst("s3://\(Self.settings.bucket)/".count))) {
            listed += $0.objects.map(\.key)
        }
        #expect(
            listed.map { $0.components(separatedBy: "/t/").dropFirst().joined(separator: "/t/") } == [name]
        )
        try store.remove(key)
        try store.remove(key)
        #expect(try store.read(key) == nil)
        #expect(try !store.exists(key))
    }

    @Test("ranges are read, also the last bytes, and an object's tag is checked")
    func ranges() throws {
        let key = String(store.path("t/r").dropFirst("s3://\(Self.settings.bucket)/".count))
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        _ = try client.put(key, bytes, ifAbsent: false)
        let object = try #require(try client.head(key))
        #expect(object.byteCount == 1000 && object.modified > 1_700_000_000_000_000)
        #expect(try client.get(key, range: 10..<20, ifMatch: object.etag)?.bytes == Array(bytes[10..<20]))
        #expect(try client.get(key, range: 990..<5000)?.bytes == Array(bytes[990...]))
        #expect(s3Error { _ = try client.get(key, range: 1000..<1001) }?.code == .rangeNotSatisfiable)
        #expect(s3Error { _ = try client.get(key, ifMatch: "0000") }?.code == .preconditionFailed)
        var memory = [UInt8](repeating: 0, count: 600)
        let count = try memory.withUnsafeMutableBytes {
            try client.get(key, range: 400..<1000, ifMatch: object.etag, into: $0)
        }
        #expect(count == 600 && memory == Array(bytes[400...]))
    }

    @Test("an upload in parts is read back in parts")
    func upload() throws {
        let content = (0..<(20 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
        let writer = try store.writer("t/large")
        for start in stride(from: 0, to: content.count, by: 3_000_001) {
            try content[start..<min(start + 3_000_001, content.count)].withUnsafeBytes {
                try writer.write($0)
            }
        }
        #expect(try !store.exists("t/large"))
        #expect(try writer.finish())
        let opened = try #require(try store.open("t/large"))
        #expect(opened.byteCount == UInt64(content.count))
        var memory = [UInt8](repeating: 0, count: content.count)
        let count = try memory.withUnsafeMutableBytes { try opened.read(at: 0, into: $0) }
        #expect(count == content.count && memory == content)
        let given = try store.writer("t/given up")
        try content[..<(9 << 20)].withUnsafeBytes { try given.write($0) }
        given.abandon()
        #expect(try !store.exists("t/given up"))
    }

    @Test("listings of many pages are whole, in order, and tell folders once")
    func listing() throws {
        let names = (0..<25).map { "t/f\($0 % 5)/\($0)" } + ["t/a", "t/z"]
        for name in names { #expect(try store.putIfAbsent(name, [1])) }
        let base = String(store.path("").dropFirst("s3://\(Self.settings.bucket)/".count))
        var keys: [String] = []
        var pages = 0
        try client.list(prefix: base, pageSize: 4) {
            keys += $0.objects.map(\.key)
            pages += 1
        }
        #expect(keys == names.map { base + $0 }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(pages == 7)
        #expect(
            Set(try store.list("t").map { "\($0.name) \($0.isFolder)" })
                == ["a false", "z false", "f0 true", "f1 true", "f2 true", "f3 true", "f4 true"]
        )
        var after: [String] = []
        try client.list(prefix: base, startAfter: base + "t/f3/8") { after += $0.objects.map(\.key) }
        #expect(after == keys.filter { $0 > base + "t/f3/8" })
        #expect(try store.hasFolder("t"))
        try store.removeFolder("t")
        #expect(try store.list("t").isEmpty)
        #expect(try !store.hasFolder("t"))
    }

    @Test("of 32 threads that put one name at once exactly one wins, and its bytes stay")
    func race() throws {
        for round in 0..<4 {
            let winners = Mutex<[Int]>([])
            let failures = Mutex<[any Error]>([])
            let running = DispatchGroup()
            for number in 0..<32 {
                running.enter()
                Thread { [store] in
                    do {
                        let bytes = [UInt8](repeating: UInt8(number), count: 10_000)
                        if try store.putIfAbsent("t/\(round)", bytes) {
                            winners.withLock { $0.append(number) }
                        }
                    } catch {
                        failures.withLock { $0.append(error) }
                    }
                    running.leave()
                }.start()
            }
            running.wait()
            #expect(failures.withLock { $0.isEmpty })
            let won = winners.withLock { $0 }
            #expect(won.count == 1)
            #expect(try store.read("t/\(round)")?.first == won.first.map { UInt8($0) })
        }
    }

    @Test("a wrong secret and a wrong key are refused")
    func wrongSecret() throws {
        let keys = try CredentialsChain(
            CredentialsContext(environment: Self.environment, region: "us-east-1")
        ).load()
        let id = try #require(keys?.accessKeyID)
        for wrong in [
            S3Credentials(accessKeyID: id, secretAccessKey: "wrong"),
            S3Credentials(accessKeyID: "AKIDNOBODY", secretAccessKey: "wrong"),
        ] {
            let stranger = try S3Client(Self.settings, credentials: FixedCredentials(wrong))
            #expect(s3Error { _ = try stranger.put("t/x", [1], ifAbsent: true) }?.code == .credentialsRefused)
            #expect(s3Error { _ = try stranger.head("t/x") }?.code == .credentialsRefused)
            try stranger.shutdown()
        }
    }

    @Test(
        "a service whose certificate nobody vouches for gets no request",
        .enabled(if: S3ServiceTests.settings.endpoint?.hasPrefix("https:") == true)
    )
    func unknownCertificate() throws {
        var settings = Self.settings
        settings.certificates = nil
        settings.retries.attempts = 1
        let keys = S3Credentials(accessKeyID: "A", secretAccessKey: "s")
        let other = try S3Client(settings, credentials: FixedCredentials(keys))
        defer { try? other.shutdown() }
        let error = s3Error { _ = try other.put("t/x", [1], ifAbsent: true) }
        #expect(error?.code == .unreachable)
        #expect(error?.outcomeIsUnknown == false)
        #expect(error?.message.contains("CERTIFICATE_VERIFY_FAILED") == true)
    }

    @Test("a bucket that is not there is an error, not an absent object")
    func noBucket() throws {
        var settings = Self.settings
        settings.bucket = "no-such-bucket-\(RandomName.make().prefix(8))"
        let chain = CredentialsChain(CredentialsContext(environment: Self.environment, region: "us-east-1"))
        let other = try S3Client(settings, credentials: RefreshedCredentials(chain))
        defer { try? other.shutdown() }
        #expect(s3Error { _ = try other.get("a") }?.serviceCode == "NoSuchBucket")
        #expect(s3Error { _ = try other.put("a", [1], ifAbsent: true) }?.serviceCode == "NoSuchBucket")
        #expect(s3Error { try other.list(prefix: "") { _ in } }?.serviceCode == "NoSuchBucket")
    }
}
