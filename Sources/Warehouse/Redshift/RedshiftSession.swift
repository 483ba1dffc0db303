import DeltaTables

/// Loads into Redshift over one connection: files are staged in a bucket, COPY takes them into a temporary table, and one
/// transaction brings its rows and the cursor into the target.
///
/// Redshift has no advisory locks. The transaction locks the target first and then asks for the cursor again: when another
/// loader has moved it meanwhile, the staged rows are dropped and the step begins anew.
final class RedshiftSession: LoadSession {
    private let connection: ServerConnection
    private let settings: RedshiftSettings
    private let note: @Sendable (LoadStage) -> Void

    init(
        _ connection: ServerConnection,
        _ settings: RedshiftSettings,
        note: @escaping @Sendable (LoadStage) -> Void
    ) {
        self.connection = connection
        self.settings = settings
        self.note = note
    }

    func advance(_ walk: ChangeWalk, _ progress: LoadProgress) throws -> LoadStep? {
        let statements = try LoadStatements(walk, .redshift)
        try prepare(statements)
        while true {
            let position = try readCursor(statements)
            progress.found(position)
            guard var step = try walk.next(after: position) else { return nil }
            let isDone = try bring(&step, from: position, statements, walk, progress) {
                if !statements.key.isEmpty { try run(statements.deleteMatches, "the merge") }
                let order = [LoadStatements.order]
                try run(
                    statements.key.isEmpty
                        ? statements.insertStaged
                        : statements.insertLatest(into: statements.target, order: order),
                    "the merge"
                )
            }
            if isDone { return step }
        }
    }

    func rebuild(_ walk: ChangeWalk, _ progress: LoadProgress) throws -> LoadStep {
        let statements = try LoadStatements(walk, .redshift)
        try prepare(statements)
        while true {
            let position = try readCursor(statements)
            progress.found(position)
            var step = try walk.whole()
            let times = statements.columns.filter { $0.lakeName == "ingest_ts" }.map(\.name)
            let isDone = try bring(&step, from: position, statements, walk, progress) {
                try run(statements.deleteAll, "emptying \(statements.target)")
                let order = times + [LoadStatements.order]
                try run(
                    statements.key.isEmpty
                        ? statements.insertStaged
                        : statements.insertLatest(into: statements.target, order: order),
                    "the merge"
                )
            }
            if isDone { return step }
        }
    }

    /// Stages a step's rows and brings them in.
    ///
    /// - Returns: Whether that was done; not when another loader was faster.
    private func bring(
        _ step: inout LoadStep,
        from position: TargetPosition,
        _ statements: LoadStatements,
        _ walk: ChangeWalk,
        _ progress: LoadProgress,
        _ merge: () throws -> Void
    ) throws -> Bool {
        var staging = Staging(settings.store, target: statements.target, version: step.position.version)
        defer { staging.remove() }
        try run("DROP TABLE IF EXISTS \(quotedName(LoadStatements.stage))", "making the stage")
        try run(statements.createStage, "making the stage")
        if !step.files.isEmpty {
            let manifest = try staging.stage(&step, statements.columns, walk, note)
            try copy(statements.copy(manifest: manifest, access: settings.access))
        }
        try run("BEGIN", "BEGIN")
        try run(statements.lockTarget, "waiting for the lock of \(statements.target)")
        note(.begun)
        guard try readCursor(statements) == position else {
            try run("ROLLBACK", "ROLLBACK")
            return false
        }
        try merge()
        note(.cursor)
        for statement in statements.write(step.position) { try run(statement, "writing the cursor") }
        note(.commit)
        progress.committing(step)
        try run("COMMIT", "COMMIT")
        note(.committed)
        try run("DROP TABLE \(quotedName(LoadStatements.stage))", "dropping the stage")
        return true
    }

    /// Makes the target and the table of the cursors, or gives the target the columns that it lacks.
    private func prepare(_ statements: LoadStatements) throws {
        let target = statements.target
        if try columns(of: target.batches, statements).isEmpty {
            if try connection.execute(statements.readSchema, of: "looking for the schema").isEmpty {
                try run(statements.createSchema, "making the schema \(target.schema)")
            }
            try run(statements.createBatches, "making \(target.batches)")
        }
        let names = try columns(of: target, statements)
        guard !names.isEmpty else { return try run(statements.createTable, "making \(target)") }
        for addition in statements.add(statements.columns.filter { !names.contains($0.name) }) {
            try run(addition, "adding a column to \(statements.target)")
        }
        guard names.contains(StagedText.cutColumn) else {
            throw WarehouseError(
                .conflict,
                "\(statements.target) has no column \(StagedText.cutColumn), which says what was cut",
                mend:
                    "ALTER TABLE \(statements.target.quoted) ADD COLUMN \(StagedText.cutColumn) varchar(65535)"
            )
        }
    }

    private func columns(of name: TargetName, _ statements: LoadStatements) throws -> Set<String> {
        let rows = try connection.execute(
            statements.readColumns(of: name),
            of: "reading the columns of \(name)"
        )
        return Set(rows.compactMap { $0.first ?? nil }.map { $0.lowercased() })
    }

    private func readCursor(_ statements: LoadStatements) throws -> TargetPosition {
        try TargetPosition(try connection.execute(statements.readCursor, of: "reading the cursor"))
    }

    /// Carries out a COPY; a failure names the file, the line and the column as Redshift has noted them.
    private func copy(_ sql: String) throws {
        do {
            try run(sql, "COPY")
        } catch var error as WarehouseError where error.sqlState != nil && !error.isTransient {
            let rows =
                (try? connection.execute(LoadStatements.loadErrors, of: "asking for load errors"))
                ?? (try? connection.execute(LoadStatements.olderLoadErrors, of: "asking for load errors"))
                ?? []
            if let row = rows.first, row.count == 4 {
                error.message +=
                    "; file \(row[0] ?? "?"), line \(row[1] ?? "?"), column \(row[2] ?? "?"): \(row[3] ?? "?")"
            }
            throw error
        }
    }

    private func run(_ sql: String, _ what: String) throws { _ = try connection.execute(sql, of: what) }
}
