import Testing

@testable import DeltaLog

@Suite struct CommitAttemptTests {
    private static let batch = ApplicationTransaction(appId: "shard", version: 5)

    private static func head(
        _ actions: [Action] = [],
        _ table: TableMetadata = metadata()
    ) throws -> TableHead {
        try TableHead(creation: creation(actions, table))
    }

    private static func attempt(
        _ actions: [Action] = [add("new")],
        on head: TableHead?
    ) throws -> CommitAttempt {
        try CommitAttempt(actions: actions, info: info("ours"), transaction: batch, on: head)
    }

    private static func winner(
        _ version: Int64,
        _ actions: [Action],
        txnId: String = "theirs"
    ) throws -> PutOutcome {
        .taken(try Commit(version: version, actions: [.commitInfo(info(txnId))] + actions))
    }

    /// The actions that the attempt would put, without `commitInfo`.
    private static func put(_ attempt: CommitAttempt) throws -> Commit {
        guard case .put(let version, let bytes) = attempt.next else {
            throw DeltaLogError(.malformedAction, "no put but \(attempt.next)")
        }
        return try Commit(version: version, decoding: bytes)
    }

    @Test func theFirstPutHasTheInfoFirstAndTheBatch() throws {
        let commit = try Self.put(Self.attempt(on: Self.head()))
        #expect(commit.version == 1)
        #expect(commit.actions == [.commitInfo(info("ours")), .txn(Self.batch), add("new")])
    }

    @Test func winningCommits() throws {
        var attempt = try Self.attempt(on: Self.head())
        attempt.report(.won)
        #expect(attempt.next == .committed(version: 1))
    }

    @Test(arguments: [(Int64(5), true), (6, true), (4, false)])
    func aBatchThatTheSnapshotHasIsNotPut(version: Int64, known: Bool) throws {
        let head = try Self.head([.txn(ApplicationTransaction(appId: "shard", version: version))])
        let next = try Self.attempt(on: head).next
        #expect((next == .alreadyCommitted(byVersion: 0)) == known)
    }

    @Test(arguments: [(Int64(5), true), (6, true), (4, false)])
    func aBatchThatAWinnerHasIsNotPutAgain(version: Int64, known: Bool) throws {
        var attempt = try Self.attempt(on: Self.head())
        attempt.report(
            try Self.winner(1, [.txn(ApplicationTransaction(appId: "shard", version: version))])
        )
        #expect((attempt.next == .alreadyCommitted(byVersion: 1)) == known)
    }

    @Test func anUnknownOutcomeRepeatsTheSamePut() throws {
        var attempt = try Self.attempt(on: Self.head())
        let first = attempt.next
        attempt.report(.unknown)
        #expect(attempt.next == first)
        let commit = try Self.put(attempt)
        attempt.report(.taken(commit))
        #expect(attempt.next == .committed(version: 1))
    }

    @Test func appendsGoOnTopOfAppendsCompactionsAndOtherBatches() throws {
        var attempt = try Self.attempt(on: Self.head([add("x"), add("y")]))
        attempt.report(
            try Self.winner(1, [add("other"), .txn(ApplicationTransaction(appId: "b", version: 9))])
        )
        attempt.report(
            try Self.winner(2, [remove("x", dataChange: false), remove("y"), add("xy", dataChange: false)])
        )
        #expect(try Self.put(attempt).version == 3)
    }

    @Test func aRemovedFileConflictsOnlyWithItsOwnRemoval() throws {
        let compaction = [
            remove("x", dataChange: false), remove("y", dataChange: false), add("xy", dataChange: false),
        ]
        var attempt = try Self.attempt(compaction, on: Self.head([add("x"), add("y"), add("z")]))
        attempt.report(try Self.winner(1, [remove("z"), add("w")]))
        #expect(try Self.put(attempt).version == 2)
        attempt.report(try Self.winner(2, [remove("y")]))
        #expect(attempt.next == .conflict(.filesGone(version: 2, paths: [DataFilePath("y")])))
    }

    @Test func aSchemaOfTheWinnerThatHoldsOursNeedsNothing() throws {
        var attempt = try Self.attempt(on: Self.head())
        let wider = TableSchema(eventSchema.fields + [SchemaField("more", .date)])
        attempt.report(try Self.winner(1, [.metaData(metadata(wider))]))
        #expect(try Self.put(attempt).metadata == nil)
    }

    @Test func bothNewColumnsGoIntoOurCommit() throws {
        let ours = TableSchema(eventSchema.fields + [SchemaField("ours", .long)])
        let theirs = TableSchema(eventSchema.fields + [SchemaField("theirs", .date)])
        var attempt = try Self.attempt([.metaData(metadata(ours)), add("new")], on: Self.head())
        attempt.report(try Self.winner(1, [.metaData(metadata(theirs))]))
        let both = metadata(TableSchema(theirs.fields + [SchemaField("ours", .long)]))
        #expect(attempt.next == .mergeSchema(both))
        attempt.acceptSchema()
        let commit = try Self.put(attempt)
        #expect(commit.version == 2)
        #expect(commit.metadata == both)
    }

    @Test func theSameNewColumnOfTheWinnerIsNotWrittenAgain() throws {
        let wider = TableSchema(eventSchema.fields + [SchemaField("ours", .long)])
        var attempt = try Self.attempt([.metaData(metadata(wider)), add("new")], on: Self.head())
        attempt.report(try Self.winner(1, [.metaData(metadata(wider))]))
        #expect(try Self.put(attempt).metadata == nil)
    }

    @Test func aColumnThatTheWinnerDroppedComesBackForOurRows() throws {
        var attempt = try Self.attempt(on: Self.head())
        attempt.report(try Self.winner(1, [.metaData(metadata(TableSchema([SchemaField("id", .long)])))]))
        #expect(attempt.next == .mergeSchema(metadata()))
    }

    @Test func metadataThatDoesNotGoTogetherConflicts() throws {
        func next(_ table: TableMetadata, _ actions: [Action] = [add("new")]) throws -> CommitStep {
            var attempt = try Self.attempt(actions, on: Self.head())
            attempt.report(try Self.winner(1, [.metaData(table)]))
            return attempt.next
        }
        let retyped = try next(
            metadata(TableSchema([SchemaField("id", .string), SchemaField("name", .string)]))
        )
        guard case .conflict(.metadataChanged(version: 1, let error)) = retyped else {
            Issue.record("\(retyped)")
            return
        }
        #expect(error.code == .columnTypeChange)
        #expect(try next(metadata(id: "other")) == .conflict(.tableReplaced(version: 1)))
        #expect(try next(metadata(partitionColumns: ["name"])) == .conflict(.tableReplaced(version: 1)))
        let property = metadata(configuration: ["p": "ours"])
        let both = try next(metadata(configuration: ["p": "theirs"]), [.metaData(property)])
        guard case .conflict(.metadataChanged(version: 1, _)) = both else {
            Issue.record("\(both)")
            return
        }
        let merged = metadata(configuration: ["p": "ours", "q": "theirs"])
        let apart = try next(metadata(configuration: ["q": "theirs"]), [.metaData(property)])
        #expect(apart == .mergeSchema(merged))
    }

    @Test func aProtocolBeyondUsConflicts() throws {
        var attempt = try Self.attempt(on: Self.head())
        attempt.report(
            try Self.winner(1, [.protocol(TableProtocol(minReaderVersion: 1, minWriterVersion: 7))])
        )
        guard case .conflict(.protocolChanged(version: 1, let error)) = attempt.next else {
            Issue.record("\(attempt.next)")
            return
        }
        #expect(error.code == .unsupportedWriter)
        #expect(throws: DeltaLogError.self) {
            let newer = TableProtocol(minReaderVersion: 1, minWriterVersion: 3)
            let head = try TableHead(
                creation: Commit(version: 0, actions: [.protocol(newer), .metaData(metadata())])
            )
            _ = try Self.attempt(on: head)
        }
    }

    @Test func anAppendOnlyTableTakesCompactionsButNoRemovals() throws {
        let table = metadata(configuration: ["delta.appendOnly": "true"])
        let head = try Self.head([add("x")], table)
        #expect(try Self.attempt([remove("x")], on: head).next == .conflict(.appendOnly(version: 0)))
        #expect(try Self.put(Self.attempt([remove("x", dataChange: false)], on: head)).version == 1)
        var attempt = try Self.attempt([remove("x")], on: Self.head([add("x")]))
        attempt.report(try Self.winner(1, [.metaData(table)]))
        #expect(attempt.next == .conflict(.appendOnly(version: 1)))
    }

    @Test func twoCreationsBecomeOneTable() throws {
        let ours = metadata(TableSchema([SchemaField("id", .long), SchemaField("ours", .date)]), id: "ours")
        var attempt = try Self.attempt([.protocol(.current), .metaData(ours), add("new")], on: nil)
        #expect(try Self.put(attempt).version == 0)
        attempt.report(.taken(try creation([.commitInfo(info("theirs")), add("x")])))
        let both = metadata(TableSchema(eventSchema.fields + [SchemaField("ours", .date)]))
        #expect(attempt.next == .mergeSchema(both))
        attempt.acceptSchema()
        let commit = try Self.put(attempt)
        #expect(commit.version == 1)
        #expect(commit.actions == [.commitInfo(info("ours")), .metaData(both), .txn(Self.batch), add("new")])
    }

    @Test func aCreationWithoutMetadataIsRefused() throws {
        let error = #expect(throws: DeltaLogError.self) { try Self.attempt(on: nil) }
        #expect(error?.code == .missingProtocol)
    }
}
