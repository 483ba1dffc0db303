import FoundationEssentials
import Testing

@testable import DeltaLog

@Suite struct ReplayTests {
    /// What delta-rs says of one version.
    private struct State: Decodable {
        struct File: Decodable, Hashable {
            var path: String
            var size: Int64
            var numRecords: Int64?
        }

        var version: Int64
        var schema: String
        var partitionColumns: [String]
        var files: [File]
        var txn: [String: Int64]
    }

    private static func commit(_ table: String, _ version: Int64) throws -> Commit {
        let name = LogFileName.commit(version: version).name
        return try Commit(version: version, decoding: golden("\(table)/\(name)"))
    }

    private static func expect(_ snapshot: Snapshot, _ state: State) throws {
        #expect(snapshot.version == state.version)
        #expect(try snapshot.head.metadata.schema().schemaString == state.schema)
        #expect(snapshot.head.metadata.schemaString == state.schema)
        #expect(snapshot.head.metadata.partitionColumns == state.partitionColumns)
        #expect(snapshot.head.transactions.mapValues(\.version) == state.txn)
        let files = try snapshot.files.values.map { file in
            State.File(
                path: file.path.decoded,
                size: file.size,
                numRecords: try file.stats.flatMap { try FileStatistics.recordCount(in: $0) }
            )
        }
        #expect(Set(files) == Set(state.files))
    }

    @Test(arguments: ["events", "polars"])
    func everyVersionOfARealLogIsWhatItsWriterSays(table: String) throws {
        let states = try JSONDecoder().decode([State].self, from: Data(golden("\(table)/expected.json")))
        var snapshot = try Snapshot(creation: Self.commit(table, 0))
        var head = snapshot.head
        try Self.expect(snapshot, states[0])
        for state in states.dropFirst() {
            let bytes = try golden("\(table)/\(LogFileName.commit(version: state.version).name)")
            try snapshot.apply(Commit(version: state.version, decoding: bytes))
            try head.apply(Commit(version: state.version, decoding: bytes, content: .head))
            try Self.expect(snapshot, state)
            #expect(head == snapshot.head)
        }
    }

    @Test func aRealCheckpointIsTheStateOfItsCommits() throws {
        let segment = try LogSegment(names: goldenNames("events"))
        #expect(segment.commits == Array(0...7))
        let rows = try Commit(
            version: 5,
            decoding: golden("events/00000000000000000005.checkpoint.rows.jsonl")
        ).actions
        let loaded = try Snapshot(version: 5, checkpointRows: rows)
        var replayed = try Snapshot(creation: Self.commit("events", 0))
        for version in Int64(1)...5 {
            try replayed.apply(Self.commit("events", version))
        }
        #expect(try CheckpointContent(loaded, now: 0).rows == CheckpointContent(replayed, now: 0).rows)
        let hint = try LastCheckpoint(decoding: golden("events/_last_checkpoint"))
        #expect(try CheckpointContent(replayed, now: 0).lastCheckpoint(sizeInBytes: 16_657) == hint)
    }

    @Test func theLastActionOnAPathCounts() throws {
        var snapshot = try Snapshot(creation: creation([add("a"), add("b")]))
        try snapshot.apply(Commit(version: 1, actions: [remove("a"), remove("never")]))
        #expect(snapshot.paths == ["b"])
        #expect(Set(snapshot.tombstones.keys.map(\.decoded)) == ["a", "never"])
        try snapshot.apply(Commit(version: 2, actions: [add("a", size: 11), add("b", size: 12)]))
        #expect(snapshot.paths == ["a", "b"])
        #expect(snapshot.files[DataFilePath("b")]?.size == 12)
        #expect(Set(snapshot.tombstones.keys.map(\.decoded)) == ["never"])
    }

    @Test func aTransactionMayGoBack() throws {
        var snapshot = try Snapshot(
            creation: creation([.txn(ApplicationTransaction(appId: "a", version: 9))])
        )
        let back = ApplicationTransaction(appId: "a", version: 2)
        try snapshot.apply(Commit(version: 1, actions: [.txn(back)]))
        #expect(snapshot.head.transactions == ["a": back])
    }

    @Test(arguments: [Int64(0), 2, 7])
    func aCommitOutOfTurnIsRefusedAndNothingChanges(version: Int64) throws {
        var snapshot = try Snapshot(creation: creation([add("a")]))
        let before = snapshot
        let error = #expect(throws: DeltaLogError.self) {
            try snapshot.apply(Commit(version: version, actions: [remove("a")]))
        }
        #expect(error?.code == .versionGap)
        #expect(snapshot == before)
    }

    @Test func aLogWithoutProtocolOrMetadataOrFirstCommitIsRefused() throws {
        func code(_ version: Int64, _ actions: [Action]) throws -> DeltaLogError.Code? {
            let commit = try Commit(version: version, actions: actions)
            return #expect(throws: DeltaLogError.self) { try Snapshot(creation: commit) }?.code
        }
        #expect(try code(0, [.metaData(metadata())]) == .missingProtocol)
        #expect(try code(0, [.protocol(.current)]) == .missingMetadata)
        #expect(try code(3, [.protocol(.current), .metaData(metadata())]) == .versionGap)
    }

    @Test func aNewerReaderVersionIsRefusedByNameAndNothingChanges() throws {
        var head = try TableHead(creation: creation())
        let before = head
        let newer = TableProtocol(
            minReaderVersion: 3,
            minWriterVersion: 7,
            readerFeatures: ["deletionVectors"],
            writerFeatures: []
        )
        let actions: [Action] = [.protocol(newer), .metaData(metadata(id: "other"))]
        let error = #expect(throws: DeltaLogError.self) {
            try head.apply(Commit(version: 1, actions: actions))
        }
        #expect(error?.code == .unsupportedReader)
        #expect(error?.message.contains("reader version 3 (deletionVectors)") == true)
        #expect(error?.message.contains("upgrade") == true)
        #expect(head == before)
    }

    @Test func invariantsAndNewerWritersAreReadButNotWritten() throws {
        let rule = SchemaField("x", .long, metadata: ["delta.invariants": .string("{}")])
        let strict = try TableHead(creation: creation([], metadata(TableSchema([rule]))))
        #expect(throws: DeltaLogError.self) { try strict.requireWritable() }
        let newer = TableProtocol(minReaderVersion: 1, minWriterVersion: 4)
        let commit = try Commit(version: 0, actions: [.protocol(newer), .metaData(metadata())])
        let head = try TableHead(creation: commit)
        #expect(throws: DeltaLogError.self) { try head.requireWritable() }
    }
}
