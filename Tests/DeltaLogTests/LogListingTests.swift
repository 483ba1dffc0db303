import Testing

@testable import DeltaLog

@Suite struct LogListingTests {
    private static func names(_ commits: ClosedRange<Int64>, _ others: [LogFileName] = []) -> [String] {
        commits.map { LogFileName.commit(version: $0).name } + others.map(\.name) + [
            "_commits", "x.json", "",
        ]
    }

    @Test(arguments: [
        (LogFileName.commit(version: 42), "00000000000000000042.json"),
        (.checkpoint(version: 42), "00000000000000000042.checkpoint.parquet"),
        (
            .checkpointPart(version: 10, part: 2, parts: 3),
            "00000000000000000010.checkpoint.0000000002.0000000003.parquet"
        ),
        (.checksum(version: .max), "09223372036854775807.crc"),
        (.lastCheckpoint, "_last_checkpoint"),
    ])
    func namesGoThereAndBack(name: LogFileName, text: String) {
        #expect(name.name == text)
        #expect(LogFileName(text) == name)
        #expect(name.path == "_delta_log/" + text)
    }

    @Test(arguments: [
        "", ".json", "42.json", "0000000000000000004x.json", "00000000000000000042.json.tmp",
        "+0000000000000000042.json",
        "99999999999999999999.json", "00000000000000000010.checkpoint.0000000004.0000000003.parquet",
        "00000000000000000010.checkpoint.016ae953-37a9-438e-8683-9a9a4a79a395.parquet",
    ])
    func otherNamesAreNone(text: String) {
        #expect(LogFileName(text) == nil)
    }

    @Test func withoutACheckpointEveryCommitIsRead() throws {
        let segment = try LogSegment(names: Self.names(0...3).reversed())
        #expect(segment.version == 3)
        #expect(segment.checkpointVersion == nil)
        #expect(segment.commits == [0, 1, 2, 3])
    }

    @Test func theNewestWholeCheckpointAndTheCommitsAfterItAreRead() throws {
        let others: [LogFileName] = [
            .checkpoint(version: 2), .checkpointPart(version: 4, part: 1, parts: 2),
            .checkpointPart(version: 4, part: 2, parts: 2), .checkpointPart(version: 6, part: 1, parts: 2),
        ]
        let segment = try LogSegment(names: Self.names(0...7, others))
        #expect(segment.checkpointVersion == 4)
        #expect(segment.checkpointFiles == Array(others[1...2]))
        #expect(segment.commits == [5, 6, 7])
        let older = try LogSegment(names: Self.names(0...7, others), upTo: 3)
        #expect(older.checkpointFiles == [.checkpoint(version: 2)])
        #expect(older.commits == [3])
    }

    @Test func aCheckpointAloneIsEnough() throws {
        let segment = try LogSegment(names: [LogFileName.checkpoint(version: 9).name])
        #expect(segment.version == 9)
        #expect(segment.commits.isEmpty)
    }

    @Test func theListingStartsAtTheHint() {
        #expect(LogSegment.firstName(hint: nil) == "00000000000000000000")
        let hint = LastCheckpoint(version: 12, size: 1)
        #expect(LogSegment.firstName(hint: hint) <= LogFileName.checkpoint(version: 12).name)
        #expect(LogSegment.firstName(hint: hint) > LogFileName.commit(version: 11).name)
    }

    @Test func gapsAndMissingVersionsAreErrors() {
        func code(_ names: [String], upTo limit: Int64? = nil) -> DeltaLogError? {
            #expect(throws: DeltaLogError.self) { try LogSegment(names: names, upTo: limit) }
        }
        #expect(code(Self.names(3...5))?.code == .logGap)
        #expect(code(Self.names(3...5))?.retryable == true)
        #expect(code(Self.names(3...5, [.checkpoint(version: 1)]))?.version == 2)
        #expect(code(Self.names(0...1) + Self.names(3...3))?.code == .logGap)
        #expect(code([])?.code == .noSuchVersion)
        #expect(code(Self.names(0...3), upTo: 4)?.code == .noSuchVersion)
        #expect(code(Self.names(0...3), upTo: 4)?.retryable == false)
    }

    @Test func cleanupNeverBreaksALoadOfAVersionThatStays() throws {
        let day: Int64 = 86_400_000
        for interval in Int64(1)...6 {
            for age in Int64(0)...25 {
                let now = 20 * day + day / 2
                let files = Self.log(commits: 20, checkpointEvery: interval)
                let cleanup = LogCleanup(files: files, retention: age * day, now: now)
                let left = Set(files.map(\.name)).subtracting(cleanup.deletable)
                let cutoff = 20 - age
                let first = (0...max(0, cutoff)).last {
                    $0 > 0 && $0.isMultiple(of: interval) && $0 <= cutoff
                }
                #expect(cleanup.firstVersion == first.map { min($0, 20 / interval * interval) })
                for version in (first ?? 0)...20 {
                    #expect(try LogSegment(names: left, upTo: version).version == version)
                    #expect(left.contains(LogFileName.commit(version: version).name))
                }
                for file in files where cleanup.deletable.contains(file.name) {
                    #expect(file.modificationTime <= now - age * day)
                }
                #expect(left.contains("_last_checkpoint") && left.contains("notes.txt"))
                if let first {
                    let versions = left.compactMap { LogFileName($0)?.version }
                    #expect(versions.allSatisfy { $0 >= first })
                }
            }
        }
    }

    /// Version v is committed at the end of day v; the checkpoint is written with it.
    private static func log(commits: Int64, checkpointEvery interval: Int64) -> [LogFile] {
        var files = [
            LogFile(name: "_last_checkpoint", modificationTime: 0),
            LogFile(name: "notes.txt", modificationTime: 0),
        ]
        for version in 0...commits {
            let time = version * 86_400_000
            files.append(LogFile(name: LogFileName.commit(version: version).name, modificationTime: time))
            files.append(LogFile(name: LogFileName.checksum(version: version).name, modificationTime: time))
            if version > 0, version.isMultiple(of: interval) {
                files.append(
                    LogFile(name: LogFileName.checkpoint(version: version).name, modificationTime: time)
                )
            }
        }
        return files
    }

    @Test func youngFilesAndLogsWithGapsStay() {
        let day: Int64 = 86_400_000
        var files = Self.log(commits: 5, checkpointEvery: 3)
        files.append(LogFile(name: LogFileName.checkpoint(version: 1).name, modificationTime: 40 * day))
        let cleanup = LogCleanup(files: files, retention: 30 * day, now: 40 * day)
        #expect(cleanup.firstVersion == 3)
        #expect(!cleanup.deletable.contains(LogFileName.checkpoint(version: 1).name))
        #expect(cleanup.deletable.count == 6)
        files.removeAll { $0.name == LogFileName.commit(version: 4).name }
        #expect(LogCleanup(files: files, retention: 30 * day, now: 40 * day).deletable.isEmpty)
        #expect(LogCleanup(files: files, retention: .max, now: -10).deletable.isEmpty)
    }
}
