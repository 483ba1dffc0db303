import BatchProtocol

/// Values to start from, each with the members that a test is about.
enum Sample {
    static func file(id: String = "1-0", path: String = "/log/a.csv", offset: UInt64 = 100) -> TrackedFile {
        TrackedFile(
            id: id,
            path: path,
            host: "pg1",
            inode: 42,
            headByteCount: 100,
            headHash: "0a",
            offset: offset,
            tailByteCount: 90,
            tailHash: "0b"
        )
    }

    static func object(
        _ key: String,
        version: String = "1",
        from: UInt64 = 0,
        to: UInt64,
        isWhole: Bool = true,
        modified: Int64 = 1_700_000_000_000_000
    ) -> ObjectRange {
        ObjectRange(
            key: key,
            version: version,
            byteCount: to,
            modified: modified,
            from: from,
            to: to,
            hash: "00000000000000000000000000000000",
            chain: "0000000000000000000000000000000c",
            rest: "000000000000000e0000000000000000",
            isWhole: isWhole
        )
    }

    static func plan(
        _ batch: UInt64,
        tables: [String] = ["a", "b"],
        parserVersion: Int = 1,
        ranges: [SourceRange] = []
    ) -> BatchPlan {
        BatchPlan(
            pipeline: "p",
            appID: "app",
            batch: batch,
            plannedAt: 1_700_000_000_000_000,
            parserVersion: parserVersion,
            stateSnapshot: 0,
            ranges: ranges,
            tables: tables.map { PlannedTable(name: $0, tableID: "id of \($0)", rows: 1) }
        )
    }

    /// A receipt whose tables got their last rows in the batch that is given for each.
    static func receipt(_ batch: UInt64, lastBatches: [(String, UInt64)]) -> BatchReceipt {
        let tables = lastBatches.map {
            TableReceipt(name: $0.0, rows: 1, version: Int64($0.1), lastBatch: $0.1)
        }
        return BatchReceipt(batch: batch, parserVersion: 1, tables: tables, bytes: 0, gaps: [])
    }
}
