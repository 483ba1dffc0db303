import Crypto
import DeltaLog
import DeltaTables
import FoundationEssentials
import ParquetFiles

/// Loads into PostgreSQL over one connection.
///
/// Every transaction takes an advisory lock of the target first, so that two loaders follow each other and each finds the
/// cursor that the other has left.
final class PostgresSession: LoadSession {
    let connection: ServerConnection
    let note: @Sendable (LoadStage) -> Void

    init(_ connection: ServerConnection, note: @escaping @Sendable (LoadStage) -> Void) {
        self.connection = connection
        self.note = note
    }

    // MARK: A step

    func advance(_ walk: ChangeWalk, _ progress: LoadProgress) throws -> LoadStep? {
        let statements = try LoadStatements(walk, .postgres)
        let position = try begin(statements, progress)
        guard var step = try walk.next(after: position) else {
            try run("COMMIT", "COMMIT")
            return nil
        }
        let table = try prepare(statements)
        let isMerge = !statements.key.isEmpty
        if isMerge { try makeStage(statements, table) }
        let destination = isMerge ? quotedName(LoadStatements.stage) : statements.target.quoted
        try copy(&step, into: destination, statements, table, walk)
        if isMerge {
            try run(statements.deleteMatches, "the merge")
            let merge = statements.insertLatest(into: statements.target, order: [LoadStatements.order])
            try run(merge, "the merge")
            // The next transaction of this connection makes its own.
            try run("DROP TABLE \(quotedName(LoadStatements.stage))", "the merge")
        }
        try finish(step, statements, progress)
        return step
    }

    /// Begins a transaction that holds the target's lock; asks how far the target is.
    func begin(_ statements: LoadStatements, _ progress: LoadProgress) throws -> TargetPosition {
        try run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "BEGIN")
        try lock(statements.target)
        note(.begun)
        try makeBatches(statements)
        let rows = try connection.execute(statements.readCursor, of: "reading the cursor")
        let position = try TargetPosition(rows)
        progress.found(position)
        return position
    }

    private func lock(_ name: TargetName) throws {
        let digest = SHA256.hash(data: Data("auditlake \(name.quoted)".utf8))
        let key = digest.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        try run("SELECT pg_catalog.pg_advisory_xact_lock(\(Int64(bitPattern: key)))", "waiting for its lock")
    }

    private func makeBatches(_ statements: LoadStatements) throws {
        let target = statements.target
        guard try !exists(target.batches) else { return }
        // Loads of other targets in the schema may be about to make it, too.
        try lock(target.batches)
        let schema = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = \(quotedText(target.schema))"
        if try connection.execute(schema, of: "looking for the schema").isEmpty {
            try run("CREATE SCHEMA \(quotedName(target.schema))", "making the schema \(target.schema)")
        }
        try run(statements.createBatches, "making \(target.batches)")
    }

    func exists(_ name: TargetName) throws -> Bool {
        let sql = "SELECT pg_catalog.to_regclass(\(quotedText(name.quoted))) IS NOT NULL"
        return try connection.execute(sql, of: "looking for \(name)").first?.first == "t"
    }

    /// Makes the target, or gives it the columns that it lacks.
    private func prepare(_ statements: LoadStatements) throws -> ServerTable {
        let target = statements.target
        guard try exists(target) else {
            try create(statements)
            return try ServerTable(fitting: statements.columns, into: [], of: target)
        }
        let table = try ServerTable(fitting: statements.columns, into: try columns(of: target), of: target)
        for addition in statements.add(table.missing) { try run(addition, "adding a column to \(target)") }
        return table
    }

    /// Makes the target.
    func create(_ statements: LoadStatements) throws {
        try run(statements.createTable, "making \(statements.target)")
        if !statements.key.isEmpty {
            try run(statements.createIndex, "making the index of \(statements.target)")
        }
    }

    /// The columns of a table, in order.
    func columns(of name: TargetName) throws -> [ServerColumn] {
        let rows = try connection.execute(
            """
            SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), t.typname, a.attnotnull, \
            a.atthasdef OR a.attidentity <> '' FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
            WHERE a.attrelid = pg_catalog.to_regclass(\(quotedText(name.quoted))) AND a.attnum > 0 AND NOT a.attisdropped \
            ORDER BY a.attnum
            """,
            of: "reading the columns of \(name)"
        )
        return rows.compactMap { row in
            guard row.count == 5, let name = row[0], let declaration = row[1], let type = row[2] else {
                return nil
            }
            return ServerColumn(
                name,
                declaration: declaration,
                type: type,
                isRequired: row[3] == "t",
                hasDefault: row[4] == "t"
            )
        }
    }

    func makeStage(_ statements: LoadStatements, _ table: ServerTable) throws {
        let columns = zip(statements.columns, table.declarations).map { "\(quotedName($0.name)) \($1)" }
        let order = "\(quotedName(LoadStatements.order)) bigint"
        try run(
            "CREATE TEMPORARY TABLE \(quotedName(LoadStatements.stage)) (\((columns + [order]).joined(separator: ", "))) ON COMMIT DROP",
            "making the stage"
        )
    }

    // MARK: Rows

    /// Sends the rows of all files of a step, each file in a COPY of its own.
    func copy(
        _ step: inout LoadStep,
        into destination: String,
        _ statements: LoadStatements,
        _ table: ServerTable,
        _ walk: ChangeWalk
    ) throws {
        let isMerge = !statements.key.isEmpty
        let names = statements.columns.map(\.name) + (isMerge ? [LoadStatements.order] : [])
        let sql = "COPY \(destination) (\(statements.names(names))) FROM STDIN (FORMAT binary)"
        let fields = table.wire.filter { !$0.isPartition }.map(\.lakeName)
        var encoder = BinaryCopyEncoder(table.wire, hasOrder: isMerge)
        for file in step.files {
            note(.copy)
            let path = walk.table.path(of: file.file.path)
            do {
                let reader = try walk.table.reader(of: file.file.path, fields: fields)
                try encoder.setPartition(file.file.partitionValues, of: path)
                let what = file.shard.isEmpty ? "COPY of \(path)" : "COPY of batch \(file.batch) (\(path))"
                try connection.copy(sql, of: what) { stream in
                    encoder.begin()
                    for group in 0..<reader.rowGroupCount {
                        try reader.withRowGroup(group) { rows in
                            try encoder.encode(rows, of: path) { try stream.send($0) }
                        }
                    }
                    try encoder.end { try stream.send($0) }
                }
                step.rows += reader.rowCount
            } catch {
                throw walk.explained(error, of: file)
            }
        }
        step.replacedNULs = encoder.replacedCount
    }

    /// Writes the cursor and commits.
    func finish(_ step: LoadStep, _ statements: LoadStatements, _ progress: LoadProgress) throws {
        note(.cursor)
        for statement in statements.write(step.position) { try run(statement, "writing the cursor") }
        note(.commit)
        progress.committing(step)
        try run("COMMIT", "COMMIT")
        note(.committed)
    }

    /// Carries out a statement whose rows are of no interest.
    func run(_ sql: String, _ what: String) throws { _ = try connection.execute(sql, of: what) }
}

extension TargetPosition {
    /// Reads what ``LoadStatements/readCursor`` gave.
    init(_ rows: [[String?]]) throws(WarehouseError) {
        self.init()
        for row in rows {
            guard row.count == 4, let shard = row[0], let batch = row[1].flatMap({ UInt64($0) }),
                let table = row[2],
                let version = row[3].flatMap({ Int64($0) })
            else {
                throw WarehouseError(
                    .outOfStep,
                    "the cursor in auditlake_batches cannot be read",
                    mend: "have the target built anew with: auditlake load PIPELINE --full"
                )
            }
            self.table = table
            self.version = max(self.version, version)
            batches[shard] = batch
        }
    }
}
