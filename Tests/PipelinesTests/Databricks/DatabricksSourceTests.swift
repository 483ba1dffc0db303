import BatchProtocol
import Foundation
import Intake
import Pipelines
import Synchronization
import Testing

/// Files that are being written, touched, moved or damaged.
@Suite struct DatabricksSourceTests {
    private typealias Fixture = DatabricksFixture

    /// Files cannot be given a time of their last change that lies ahead: the runs see the time of now.
    private func withLake(_ body: (inout Fixture) throws -> Void) throws {
        try Fixture.with { lake in
            lake.now = Int64(Date().timeIntervalSince1970) * 1_000_000
            try body(&lake)
        }
    }

    // MARK: A last line without newline

    private static let wholeLine = Fixture.event(2).dropLast()

    /// Beginnings of event 2, and what is no object of JSON.
    private static let tails = [
        String(Fixture.event(2).prefix(100)), String(wholeLine.dropLast()), "{", #"{"broken}"#,
        #"{"a":1}{"b":2}"#,
    ]

    @Test(arguments: tails)
    func aLineThatMayGoOnWaits(_ tail: String) throws {
        try withLake { lake in
            try lake.deliver([Fixture.event(1), tail], age: 59)
            try lake.deliver([Fixture.event(3)], to: "b.json", age: 0)
            let summary = try lake.run()
            #expect(summary.rows == 2 && summary.batches == 1 && summary.remarks.isEmpty)
            #expect(summary.pending == ["\(lake.root)/drops/a.json": UInt64(tail.utf8.count)])
            #expect(try lake.run().batches == 0)
            try lake.deliver([Fixture.event(1), Fixture.event(2), Fixture.event(4)], age: 58)
            #expect(try lake.run().pending.isEmpty)
            try lake.expectExact([1, 2, 3, 4].map { Fixture.event($0) })
        }
    }

    @Test(arguments: ["", " ", "\r"])
    func aLineThatIsAWholeObjectDoesNotWait(_ end: String) throws {
        try withLake { lake in
            try lake.deliver([Fixture.event(1), Self.wholeLine + end], age: 0)
            #expect(try lake.run().rows == 2)
            try lake.deliver([Fixture.event(1), Self.wholeLine + end + "\n", Fixture.event(3)], age: 0)
            #expect(try lake.run().rows == 1)
            #expect(try lake.texts("requestId", of: lake.settings.silver) == ["r-1", "r-2", "r-3"])
        }
    }

    @Test func aWholeObjectThatIsNoEventDoesNotWaitEither() throws {
        try withLake { lake in
            try lake.deliver([#"{"some":"object"}"#], age: 0)
            #expect(try lake.run().quarantined == 1)
        }
    }

    @Test func afterAMinuteOfQuietAHalfLineIsARecord() throws {
        try withLake { lake in
            try lake.deliver([Fixture.event(1), "{\"half"], age: 60)
            #expect(try lake.run().pending.isEmpty)
            try lake.expectExact([Fixture.event(1)], quarantined: ["{\"half"])
        }
    }

    @Test func aHalfLineThatGoesOnAfterAllKeepsNoLaterOneFromBeingRead() throws {
        try withLake { lake in
            let half = String(Fixture.event(2).prefix(50))
            try lake.deliver([Fixture.event(1), half], age: 60)
            try lake.run()
            let rest = String(Fixture.event(2).dropFirst(50))
            try lake.deliver([Fixture.event(1), half, rest, Fixture.event(3)], age: 0)
            #expect(try lake.run().remarks.isEmpty)
            try lake.expectExact([1, 3].map { Fixture.event($0) }, quarantined: [half, rest])
        }
    }

    @Test func aLineThatGrowsAllTheTimeDoesNotKeepARunFromEnding() throws {
        try withLake { lake in
            try lake.deliver(["{"])
            try lake.deliver([Fixture.event(1)], to: "b.json")
            let file = try FileHandle(forWritingTo: URL(filePath: "\(lake.root)/drops/a.json"))
            let now = lake.now
            let reads = Mutex(0)
            let observer = PipelineObserver(progress: { _ in
                // As long as it is read.
                let count = reads.withLock {
                    $0 += 1
                    return $0
                }
                if count < 1_000, (try? file.seekToEnd()) != nil { file.write(Data("x".utf8)) }
            })
            let pipeline = PipelineSettings.databricks(lake.settings)
            let summary = try pipeline.runOnce(lake: lake.lake, observer: observer, clock: { now })
            #expect(summary.rows == 1 && summary.batches == 1)
            #expect(reads.withLock { $0 } < 20)
        }
    }

    @Test func aFileThatEndsInsideALongLineWaitsWhole() throws {
        try withLake { lake in
            lake.settings.decoding.maxPendingBytes = 1 << 20
            // A piece of it would be taken, and what follows as another line.
            let long = String(repeating: "x", count: 9 << 20)
            try lake.deliver([Fixture.event(1), long], age: 0)
            try lake.deliver([Fixture.event(3)], to: "b.json", age: 0)
            let summary = try lake.run()
            #expect(summary.rows == 1 && summary.batches == 1)
            #expect(summary.pending.count == 1)
            #expect(try lake.run().batches == 0)
            try lake.deliver([Fixture.event(1), long, "y\n", Fixture.event(4)], age: 0)
            #expect(try lake.run().rows == 2)
            #expect(try lake.texts("requestId", of: lake.settings.silver) == ["r-1", "r-3", "r-4"])
            #expect(try lake.texts("raw", of: lake.settings.quarantine).count == 1)
            let raw = try lake.texts("raw", of: lake.settings.bronze).filter { !$0.hasPrefix("{") }
            #expect(raw.map(\.utf8.count).sorted() == [(1 << 20) + 1, 8 << 20])
        }
    }

    @Test func lagRisesWhileNothingIsRead() throws {
        try withLake { lake in
            let looks = PipelineLooks(.databricks(lake.settings))
            for (count, name) in ["a.json", "b.json"].enumerated() {
                try lake.deliver([Fixture.event(count)], to: name, age: 100)
                #expect(try looks.look(lake.lake, now: lake.now).files.count == count + 1)
            }
        }
    }

    @Test func aFileThatWasLeftAloneIsReadOnceTheSettingSaysSo() throws {
        try withLake { lake in
            try lake.deliver([Fixture.event(1), Fixture.event(2)], age: 100)
            try lake.run()
            try lake.deliver([Fixture.event(7), Fixture.event(2), Fixture.event(3)], age: 90)
            #expect(try lake.run().rows == 0)
            try lake.deliver([Fixture.event(4)], to: "b.json", age: 80)
            #expect(try lake.run().rows == 1)
            let status = try PipelineLooks(.databricks(lake.settings)).look(lake.lake, now: lake.now)
            #expect(status.files.isEmpty && status.leftAlone.count == 1)
            #expect(status.leftAlone.keys == ["\(lake.root)/drops/a.json"])
            lake.settings.objects.source.onChange = .reingest
            #expect(try lake.run().rows == 3)
            let all = ["r-1", "r-2", "r-2", "r-3", "r-4", "r-7"]
            #expect(try lake.texts("requestId", of: lake.settings.silver) == all)
            #expect(try lake.run().batches == 0)
            lake.settings.objects.source.onChange = .report
            #expect(try lake.run().batches == 0)
        }
    }

    // MARK: A source that means the lake

    @Test(arguments: [
        "", "/**/*", "/**/*.parquet", "/*/main/audit/bronze/**", "/{other,lake}/**",
        "/lake/main/audit_gold/*/*/*",
    ])
    func aSourceThatMeansTheLakeIsRefused(_ pattern: String) throws {
        try withLake { lake in
            lake.settings.objects.source.patterns = ["\(lake.root)\(pattern)"]
            #expect { try lake.run() } throws: { error in
                guard let error = error as? PipelineError else { return false }
                return error.code == .sourceConflict && error.message.contains("\(lake.root)/lake")
            }
            #expect(!FileManager.default.fileExists(atPath: lake.lakePath))
        }
    }

    @Test(arguments: ["/**/a.json*", "/drops/**/*", "/d*/*", "/{drops,other}"])
    func aSourceBesideTheLakeIsRead(_ pattern: String) throws {
        try withLake { lake in
            lake.settings.objects.source.patterns = ["\(lake.root)\(pattern)"]
            try lake.deliver([Fixture.event(1)])
            for _ in 0..<2 { try lake.run() }
            try lake.expectExact([Fixture.event(1)])
        }
    }

    // MARK: The end of a batch

    @Test func aBatchEndsAtTheLastLineThatFits() throws {
        try withLake { lake in
            let lines = (10..<50).map { Fixture.event($0) }
            let byteCount = UInt64(lines[0].utf8.count)
            try lake.deliver(Array(lines[..<25]), to: "a.json")
            try lake.deliver(Array(lines[25...]), to: "b.json")
            lake.settings.batchByteCount = byteCount * 10 + byteCount / 2
            #expect(try lake.run().batches == 4)
            #expect(
                try (1...4).map { try lake.plan($0).byteCount } == Array(repeating: byteCount * 10, count: 4)
            )
            try lake.expectExact(lines)
        }
    }

    @Test func aLineThatIsLongerThanABatchIsABatch() throws {
        try withLake { lake in
            let lines = (10..<14).map { Fixture.event($0) }
            try lake.deliver(lines)
            lake.settings.batchByteCount = 10
            #expect(try lake.run().batches == 4)
            try lake.expectExact(lines)
            #expect(try lake.run().batches == 0)
        }
    }

    @Test func aBatchThatEndsWithItsFileHasItWhole() throws {
        try withLake { lake in
            try lake.deliver([Fixture.event(1)])
            lake.settings.batchByteCount = UInt64(Fixture.event(1).utf8.count)
            try lake.run()
            #expect(try lake.plan(1).objects?.map(\.isWhole) == [true])
        }
    }

    // MARK: Touched

    @Test func aTouchMakesNoBatchAndIsRememberedByTheNext() throws {
        try withLake { lake in
            try lake.deliver([Fixture.event(1)], age: 300)
            try lake.run()
            try lake.deliver([Fixture.event(1)], age: 200)
            #expect(try lake.run().batches == 0)
            try lake.deliver([Fixture.event(2)], to: "b.json", age: 100)
            #expect(try lake.run().batches == 1)
            let ranges = try #require(try lake.plan(2).objects)
            #expect(ranges.map { $0.rangeByteCount > 0 } == [true, false])
            try lake.expectExact([1, 2].map { Fixture.event($0) })
        }
    }

    @Test func aThousandTouchesMakeOneBatchThatIsHeldAgainstNoRule() throws {
        try withLake { lake in
            for age: Int64 in [300, 200] {
                for number in 0..<1_000 {
                    try lake.deliver([Fixture.event(number)], to: "\(number).json", age: age)
                }
                #expect(try lake.run().batches == 1)
            }
            #expect(try lake.plan(1).expectations?.count == 6)
            #expect(try lake.plan(2).expectations == nil)
            #expect(try lake.plan(2).objects?.count == 1_000)
            #expect(try lake.run().batches == 0)
        }
    }

    // MARK: Moved

    @Test func aMovedFolderGivesOnlyItsNewLines() throws {
        try withLake { lake in
            try lake.deliver([Fixture.event(1)])
            try lake.run()
            try lake.move("drops", to: "elsewhere")
            #expect(try lake.run().batches == 0)
            try lake.move("elsewhere", to: "drops")
            try lake.deliver([Fixture.event(1), Fixture.event(2)])
            try lake.deliver([Fixture.event(3)], to: "b.json")
            try lake.move("drops", to: "elsewhere")
            #expect(try lake.run().rows == 2)
            try lake.expectExact([1, 2, 3].map { Fixture.event($0) })
        }
    }

    @Test func foldersInUseAreReadEachHoweverAlikeTheyAre() throws {
        try withLake { lake in
            try lake.deliver([Fixture.event(1)])
            try lake.run()
            let copy = "\(lake.root)/copy"
            try FileManager.default.copyItem(atPath: "\(lake.root)/drops", toPath: copy)
            lake.settings.objects.source.patterns.append(copy)
            #expect(try lake.run().rows == 1)
        }
    }

    @Test(arguments: [false, true])
    func anOpenBatchIsFinishedFromAMovedFolder(_ isFirst: Bool) throws {
        try withLake { lake in
            if !isFirst {
                try lake.deliver([Fixture.event(3)], to: "b.json")
                try lake.run()
            }
            try lake.deliver([Fixture.event(1), Fixture.event(2)])
            try lake.runUntil { change in
                if case .link(let path) = change {
                    path.hasSuffix("audit/bronze/_delta_log/0000000000000000000\(isFirst ? 1 : 2).json")
                } else {
                    false
                }
            }
            try lake.move("drops", to: "elsewhere")
            #expect(try lake.run().redoneBatches == 1)
            try lake.expectExact((isFirst ? [1, 2] : [1, 2, 3]).map { Fixture.event($0) })
        }
    }

    // MARK: Damaged

    @Test func damagedObjectsAreAFailureOnceTheOthersAreRead() throws {
        try withLake { lake in
            for name in ["a", "b", "c", "d"] {
                try lake.deliver(["no gzip at all"], to: "\(name).json.gz", age: 300)
            }
            try lake.deliver([Fixture.event(1)], to: "z.json", age: 0)
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .unreadable)
            let named = ["a", "b", "c"].map {
                "\(lake.root)/drops/\($0).json.gz is damaged and cannot be decompressed"
            }
            #expect(error?.message == "4 files cannot be read: \(named.joined(separator: "; ")); and 1 more")
            try lake.expectExact([Fixture.event(1)])
            for name in ["b", "c", "d"] { try lake.remove("\(name).json.gz") }
            let second = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(second?.message == named[0])
        }
    }

    @Test func aCutObjectIsAFailureOnceNobodyWritesToIt() throws {
        // What gzip makes of 1,000 zeros, without its end.
        let bytes = Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0x60, 0x18, 0x05, 0xA3])
        try withLake { lake in
            try lake.deliver(bytes, to: "a.json.gz", age: 59)
            let remarks = try lake.run().remarks
            #expect(remarks == [.objects(.endsTooEarly(key: "\(lake.root)/drops/a.json.gz"))])
            lake.now += 1_000_000
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .unreadable)
        }
    }
}
