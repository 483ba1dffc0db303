import Testing

@testable import DeltaLog

@Suite struct CommitTests {
    private static let everyAction: [Action] = [
        .add(
            AddFile(
                path: DataFilePath("date=a b/ü%.parquet"),
                partitionValues: ["place": nil, "date": "a b"],
                size: 1,
                modificationTime: 2,
                dataChange: true,
                stats: #"{"numRecords":1}"#,
                tags: ["t": "1"]
            )
        ),
        .remove(
            RemoveFile(
                path: DataFilePath("old.parquet"),
                deletionTimestamp: 3,
                dataChange: false,
                extendedFileMetadata: true,
                partitionValues: [:],
                size: 4
            )
        ),
        .txn(ApplicationTransaction(appId: "shard", version: 9_007_199_254_740_993, lastUpdated: 5)),
        .metaData(metadata(configuration: ["b": "2", "a": "\u{1}/\n"])),
        .protocol(.current),
        .commitInfo(
            CommitInfo(
                timestamp: 1,
                operation: "WRITE",
                operationParameters: ["mode": .string("Append"), "n": .integer(3)],
                readVersion: 4,
                isolationLevel: "WriteSerializable",
                isBlindAppend: true,
                operationMetrics: ["rows": .integer(2)],
                engineInfo: "auditlake",
                txnId: "uuid"
            )
        ),
    ]

    @Test func bytesOfEveryActionAreGolden() throws {
        let expected = #"""
            {"commitInfo":{"timestamp":1,"operation":"WRITE","operationParameters":{"mode":"Append","n":3},"readVersion":4,"isolationLevel":"WriteSerializable","isBlindAppend":true,"operationMetrics":{"rows":2},"engineInfo":"auditlake","txnId":"uuid"}}
            {"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
            {"metaData":{"id":"table","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{\"name\":\"name\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{"a":"\u0001/\n","b":"2"},"createdTime":1}}
            {"txn":{"appId":"shard","version":9007199254740993,"lastUpdated":5}}
            {"add":{"path":"date=a%20b/%C3%BC%25.parquet","partitionValues":{"date":"a b","place":null},"size":1,"modificationTime":2,"dataChange":true,"stats":"{\"numRecords\":1}","tags":{"t":"1"}}}
            {"remove":{"path":"old.parquet","deletionTimestamp":3,"dataChange":false,"extendedFileMetadata":true,"partitionValues":{},"size":4}}

            """#
        let commit = try Commit(version: 3, actions: Self.everyAction)
        #expect(String(decoding: commit.encoded, as: UTF8.self) == expected)
    }

    @Test func decodingGivesWhatWasEncoded() throws {
        let commit = try Commit(version: 3, actions: Self.everyAction)
        #expect(try Commit(version: 3, decoding: commit.encoded) == commit)
    }

    @Test func headContentLeavesOutFilesHoweverTheyAreWritten() throws {
        let text = #"{"add":{}}"# + "\n" + #"{ "remove": {"path":"a","dataChange":true}}"# + "\n"
        let bytes = Array(text.utf8) + (try Commit(version: 3, actions: [.protocol(.current)]).encoded)
        #expect(try Commit(version: 3, decoding: bytes, content: .head).actions == [.protocol(.current)])
    }

    @Test func unknownActionsFieldsAndBlankLinesAreSkipped() throws {
        let text = #"""
            {"domainMetadata":{"domain":"d"}}

            {"commitInfo":{"timestamp":"not a number","readVersion":1.5,"x":[{"y":null}],"txnId":"u"}}
            {"txn":{"appId":"a","version":1,"future":{}}}
            {"cdc":{"path":"c"}}
            """#
        let commit = try Commit(version: 1, decoding: Array(text.utf8))
        #expect(commit.actions.count == 2)
        #expect(commit.info == CommitInfo(timestamp: nil, operation: nil, txnId: "u"))
    }

    @Test(arguments: [
        (#"{"txn":{"appId":"a"}}"#, DeltaLogError.Code.malformedAction),
        (#"{"txn":{"appId":"a","ver"#, .malformedAction),
        (#"{"remove":{"path":"a%2","dataChange":true}}"#, .malformedPath),
        (#"{"remove":{"path":"a%FF","dataChange":true}}"#, .malformedPath),
    ])
    func aBrokenLineNamesVersionAndLine(text: String, code: DeltaLogError.Code) throws {
        let error = #expect(throws: DeltaLogError.self) {
            try Commit(version: 12, decoding: Array(("\n" + text).utf8))
        }
        #expect(error?.code == code)
        #expect(error?.version == 12)
        #expect(error?.line == 2)
    }

    @Test(arguments: [
        [add("a"), add("a")], [add("a"), remove("a")], [remove("a"), remove("a")],
        [.protocol(.current), .protocol(.current)], [.metaData(metadata()), .metaData(metadata(id: "b"))],
        [
            .txn(ApplicationTransaction(appId: "a", version: 1)),
            .txn(ApplicationTransaction(appId: "a", version: 2)),
        ],
    ])
    func twoActionsThatReconcileAreRefused(actions: [Action]) throws {
        let error = #expect(throws: DeltaLogError.self) { try Commit(version: 1, actions: actions) }
        #expect(error?.code == .duplicateAction)
    }

    @Test(arguments: [
        ("plain/part-0.parquet", "plain/part-0.parquet"), ("a b", "a%20b"), ("a%20b", "a%2520b"),
        ("x:y?#", "x%3Ay%3F%23"), ("s3://bucket/a:b", "s3://bucket/a%3Ab"), ("ü", "%C3%BC"),
    ])
    func pathsAreEncodedAndDecoded(path: String, encoded: String) throws {
        #expect(DataFilePath(path).encoded == encoded)
        #expect(DataFilePath(path).decoded == path)
        #expect(try DataFilePath(encoded: encoded) == DataFilePath(path))
    }

    @Test func twoSpellingsOfOnePathAreEqualAndNormalizationsDiffer() throws {
        #expect(try DataFilePath(encoded: "a%c3%bc:b%7e") == DataFilePath("aü:b~"))
        #expect(DataFilePath("e\u{301}") != DataFilePath("\u{E9}"))
    }
}
