import JSONText
import Testing

@testable import DeltaLog

@Suite struct CheckpointTests {
    private static let day: Int64 = 86_400_000

    private static func snapshot(_ configuration: [String: String] = [:]) throws -> Snapshot {
        let actions: [Action] = [
            .txn(ApplicationTransaction(appId: "b", version: 2)),
            .txn(ApplicationTransaction(appId: "a", version: 1)),
            add("z"), add("y"), remove("old", at: 0), remove("young", at: 5 * day),
        ]
        return try Snapshot(creation: creation(actions, metadata(configuration: configuration)))
    }

    private static func paths(_ rows: [Action]) -> [String] {
        rows.map { row in
            switch row {
            case .commitInfo: "commitInfo"
            case .protocol: "protocol"
            case .metaData: "metaData"
            case .txn(let transaction): "txn " + transaction.appId
            case .add(let file): "add \(file.path.encoded) \(file.dataChange)"
            case .remove(let file): "remove \(file.path.encoded) \(file.dataChange)"
            }
        }
    }

    @Test func rowsComeInOrderWithoutExpiredTombstones() throws {
        let common = ["protocol", "metaData", "txn a", "txn b", "add y false", "add z false"]
        let early = try CheckpointContent(Self.snapshot(), now: 7 * Self.day)
        #expect(Self.paths(early.rows) == common + ["remove old false", "remove young false"])
        let late = try CheckpointContent(Self.snapshot(), now: 7 * Self.day + 1)
        #expect(Self.paths(late.rows) == common + ["remove young false"])
        #expect(late.addCount == 2)
    }

    @Test(arguments: [
        ("interval 1 week", 7 * day), ("2 days 12 hours", 5 * day / 2),
        ("interval 90 minutes 1 second 5 milliseconds", 5_401_005),
    ])
    func theRetentionPropertyDecides(text: String, retention: Int64) throws {
        let snapshot = try Self.snapshot(["delta.deletedFileRetentionDuration": text])
        let kept = try CheckpointContent(snapshot, now: retention).rows.count
        let dropped = try CheckpointContent(snapshot, now: retention + 1).rows.count
        #expect(kept - dropped == 1)
    }

    @Test(arguments: [
        "", "interval", "7", "interval 1 month", "-1 days", "9223372036854775807 weeks", "1 day x",
    ])
    func aRetentionThatCannotBeReadDeletesNothing(text: String) throws {
        let snapshot = try Self.snapshot(["delta.deletedFileRetentionDuration": text])
        let error = #expect(throws: DeltaLogError.self) { try CheckpointContent(snapshot, now: .max) }
        #expect(error?.code == .malformedProperty)
    }

    @Test func rowsInAnyOrderGiveTheStateBack() throws {
        let content = try CheckpointContent(Self.snapshot(), now: 0)
        let loaded = try Snapshot(version: content.version, checkpointRows: content.rows.reversed())
        #expect(try CheckpointContent(loaded, now: 0) == content)
        #expect(try TableHead(version: 0, checkpointRows: content.rows) == loaded.head)
    }

    @Test func twoRowsForOneFileAreRefused() throws {
        let head: [Action] = [.protocol(.current), .metaData(metadata())]
        for pair in [[add("a"), add("a")], [add("a"), remove("a")], [remove("a"), add("a")]] {
            #expect(throws: DeltaLogError.self) { try Snapshot(version: 1, checkpointRows: head + pair) }
        }
    }

    @Test func everyFieldOfEveryRowHasAColumn() throws {
        #expect(
            CheckpointContent.schema.fields.map(\.name) == ["txn", "add", "remove", "metaData", "protocol"]
        )
        let content = try CheckpointContent(Self.snapshot(), now: 0)
        for row in content.rows {
            var writer = JSONWriter()
            writer.value(row)
            let json = try JSONReader.read(writer.bytes) { try $0.value() }
            let kind = try #require(json.object?.first)
            let column = try #require(CheckpointContent.schema[kind.key])
            guard case .structure(let fields) = column.type else {
                Issue.record("\(kind.key) is no struct")
                continue
            }
            for name in try #require(kind.value.object).keys {
                #expect(fields[name] != nil, "\(kind.key).\(name)")
            }
        }
    }

    @Test func theHintGoesThereAndBack() throws {
        let hint = LastCheckpoint(version: 5, size: 10, sizeInBytes: 16_657, numOfAddFiles: 3)
        let text = #"{"version":5,"size":10,"sizeInBytes":16657,"numOfAddFiles":3}"#
        #expect(hint.encoded == Array(text.utf8))
        #expect(try LastCheckpoint(decoding: hint.encoded) == hint)
        let error = #expect(throws: DeltaLogError.self) {
            try LastCheckpoint(decoding: Array(text.utf8.dropLast()))
        }
        #expect(error?.code == .malformedLastCheckpoint)
    }
}
