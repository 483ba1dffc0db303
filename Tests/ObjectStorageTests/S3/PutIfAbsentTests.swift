import NIOHTTP1
import ObjectStorage
import Synchronization
import Testing

/// Conditional puts whose answers are lost: of all that try, exactly the one that made the object is told so.
@Suite struct PutIfAbsentTests {
    /// A way to lose the answer to a request.
    enum Loss: CaseIterable {
        case reset
        case silence
        case torn
        case internalError
        case badGateway
        case unavailable
        /// A success that is none of S3, as of a proxy under maintenance.
        case page

        var reply: StandInServer.Reply {
            switch self {
            case .reset: .reset
            case .silence: .silence
            case .torn: .torn(promised: 10, [])
            case .internalError: .answer(500, [:], TestBucket.error("InternalError"))
            case .badGateway: .answer(502, [:], "<html>")
            case .unavailable: .answer(503)
            case .page: .answer(200, ["Content-Type": "text/html"], "<html>")
            }
        }

        /// Short where a silent server is waited for.
        var limits: WebLimits { self == .silence ? WebLimits(idle: .milliseconds(200)) : WebLimits() }
    }

    private static let bytes = Array("ours".utf8)

    @Test("without faults the first put creates and the second finds the object there")
    func plain() throws {
        let objects = StandInObjects()
        let bucket = try TestBucket { _, request in objects.answer(request) }
        #expect(try bucket.client.put("a/b", Self.bytes, ifAbsent: true) == .created(etag: "e"))
        #expect(try bucket.client.put("a/b", Array("theirs".utf8), ifAbsent: true) == .exists)
        #expect(objects["/lake/a/b"] == Self.bytes)
        #expect(bucket.server.requests.allSatisfy { $0.headers["if-none-match"] == ["*"] })
        // Nothing was lost, so nothing had to be read.
        #expect(bucket.server.requests.allSatisfy { $0.method == .PUT })
        #expect(bucket.server.requests.count == 2)
    }

    @Test("an object that was made by the attempt whose answer was lost is ours", arguments: Loss.allCases)
    func lostSuccess(loss: Loss) throws {
        let objects = StandInObjects()
        let bucket = try TestBucket(limits: loss.limits) { number, request in
            let answer = objects.answer(request)
            return number == 0 ? loss.reply : answer
        }
        #expect(try bucket.client.put("a", Self.bytes, ifAbsent: true) == .created(etag: "e"))
        // A machine that is busy may be silent once more.
        if loss != .silence { #expect(bucket.server.requests.map(\.method) == [.PUT, .PUT, .GET]) }
    }

    @Test("an object of other bytes that is there after a lost answer is not ours", arguments: Loss.allCases)
    func lostRace(loss: Loss) throws {
        let objects = StandInObjects()
        objects.put("/lake/a", Array("theirs".utf8))
        let bucket = try TestBucket(limits: loss.limits) { number, request in
            number == 0 ? loss.reply : objects.answer(request)
        }
        #expect(try bucket.client.put("a", Self.bytes, ifAbsent: true) == .exists)
        #expect(objects["/lake/a"] == Array("theirs".utf8))
    }

    @Test("an object of the same bytes that another client made is not ours")
    func equalBytes() throws {
        let objects = StandInObjects()
        let other = try TestBucket { _, request in objects.answer(request) }
        #expect(try other.client.put("a", Self.bytes, ifAbsent: true) == .created(etag: "e"))
        let bucket = try TestBucket { number, request in number == 0 ? .reset : objects.answer(request) }
        #expect(try bucket.client.put("a", Self.bytes, ifAbsent: true) == .exists)
    }

    @Test("a service that loses metadata still lets equal bytes count as ours")
    func withoutMetadata() throws {
        let objects = StandInObjects()
        let bucket = try TestBucket { number, request in
            if request.method == .PUT, number == 0 {
                objects.put(request.path, request.body)
                return .reset
            }
            return objects.answer(request)
        }
        #expect(try bucket.client.put("a", Self.bytes, ifAbsent: true) == .created(etag: "e"))
    }

    @Test("an object that vanishes before it is looked at is put again")
    func vanished() throws {
        let objects = StandInObjects()
        let bucket = try TestBucket { number, request in
            let answer = objects.answer(request)
            if number == 0 { return .reset }
            if number == 1 { objects.remove(request.path) }
            return answer
        }
        #expect(try bucket.client.put("a", Self.bytes, ifAbsent: true) == .created(etag: "e"))
        #expect(objects["/lake/a"] == Self.bytes)
        #expect(bucket.server.requests.map(\.method) == [.PUT, .PUT, .GET, .PUT])
    }

    @Test(
        "a refusal that surely did nothing leads to no look at the object",
        arguments: ["SlowDown", "conflict"]
    )
    func surelyNotDone(fault: String) throws {
        let objects = StandInObjects()
        objects.put("/lake/a", Self.bytes)
        let bucket = try TestBucket { number, request in
            if number > 0 { return objects.answer(request) }
            return fault == "SlowDown"
                ? .answer(503, [:], TestBucket.error("SlowDown"))
                : .answer(409, [:], TestBucket.error("ConditionalRequestConflict"))
        }
        #expect(try bucket.client.put("a", Self.bytes, ifAbsent: true) == .exists)
        #expect(bucket.server.requests.map(\.method) == [.PUT, .PUT])
    }

    @Test("when every answer is lost the error says that the object may be there", arguments: Loss.allCases)
    func alwaysLost(loss: Loss) throws {
        let bucket = try TestBucket(attempts: 2, limits: loss.limits) { _, _ in loss.reply }
        let error = s3Error { _ = try bucket.client.put("a", Self.bytes, ifAbsent: true) }
        #expect(error?.outcomeIsUnknown == true)
        #expect(error?.isRetryable == true)
        #expect(bucket.server.requests.count == 2)
    }

    @Test("a refusal says that nothing was done")
    func refused() throws {
        let bucket = try TestBucket { _, _ in .answer(403, [:], TestBucket.error("AccessDenied")) }
        let error = s3Error { _ = try bucket.client.put("a", Self.bytes, ifAbsent: true) }
        #expect(error?.code == .accessDenied)
        #expect(error?.outcomeIsUnknown == false)
        #expect(bucket.server.requests.count == 1)
    }
}
