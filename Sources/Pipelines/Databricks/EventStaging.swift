import AuditFormats
import BatchProtocol
import Catalog
import Columnar
import Intake
import ParquetFiles

/// One parse that feeds every layer: lines go in, data files of all tables come out.
final class EventStaging: ObjectStaging {
    private let pipeline: DatabricksPipeline
    private let known: KnownServices
    private let wanted: Set<TableName>?
    private let replay: ReplayTarget?
    private let encoder: EncodingThread
    private let plannedAt: Int64
    /// Since 1970-01-01.
    private let ingestDay: Int64
    private var decoder: DatabricksDecoder

    /// Begins a batch.
    ///
    /// - Parameters:
    ///   - pipeline: Opens the tables.
    ///   - known: The services before the batch.
    ///   - plannedAt: The batch's time, in microseconds since 1970-01-01 UTC.
    ///   - wanted: The tables that get files; nil for all.
    ///   - planned: How events become rows, as the plan has it; nil for the pipeline's settings of now.
    ///   - replay: Which rows of earlier batches are made again; nil for those of a batch.
    init(
        _ pipeline: DatabricksPipeline,
        known: KnownServices,
        plannedAt: Int64,
        wanted: Set<TableName>?,
        settings planned: DatabricksDecoderSettings? = nil,
        replay: ReplayTarget? = nil
    ) {
        self.pipeline = pipeline
        self.known = known
        self.wanted = wanted
        self.plannedAt = plannedAt
        self.replay = replay
        var settings = planned ?? pipeline.settings.decoding
        if let wanted {
            settings.buildsBronze = wanted.contains(pipeline.settings.bronze)
            settings.buildsSilver = wanted.contains(pipeline.settings.silver)
            settings.buildsGold = wanted.contains { $0.schema == pipeline.settings.goldSchema }
        }
        if let replay {
            settings.buildsBronze = false
            settings.buildsSilver = replay.layer == .silver
            settings.buildsGold = replay.layer == .gold
        }
        if pipeline.isDeferring { settings.buildsGold = false }
        decoder = DatabricksDecoder(settings: settings, services: known.services)
        decoder.ingestTime = plannedAt
        decoder.rowGroupByteCount = pipeline.settings.rowGroupByteCount
        encoder = EncodingThread(store: pipeline.lake.store, now: pipeline.clock() / 1_000)
        ingestDay = UTCDay.days(microseconds: plannedAt)
    }

    /// Events and lines so far.
    var totals: DatabricksDecoder.Totals { decoder.totals }

    func cancel() { encoder.cancel() }

    var isInsideRecord: Bool { decoder.isInsideLine }
    var rowCount: Int { decoder.totals.silverRowCount }

    func begin(_ reader: ObjectReader, modified: Int64) { begin(reader.key, modified: modified) }

    /// What follows are rows of bronze of another object.
    func begin(_ source: String, modified: Int64?) {
        decoder.begin(source: source, sourceTime: modified)
    }

    /// What follows are rows of bronze of another object or batch.
    func begin(_ source: String, modified: Int64?, ingestTime: Int64) {
        decoder.ingestTime = ingestTime
        begin(source, modified: modified)
    }

    func isWhole(lastRecord bytes: UnsafeRawBufferPointer) -> Bool { UnfinishedLine(bytes).isWholeObject }

    func decode(
        _ bytes: UnsafeRawBufferPointer,
        paddingByteCount: Int,
        at offset: UInt64,
        isEnd: Bool
    ) throws -> Int {
        var consumed = 0
        while true {
            let step = decoder.decode(
                UnsafeRawBufferPointer(rebasing: bytes[consumed...]),
                paddingByteCount: paddingByteCount,
                baseOffset: offset + UInt64(consumed),
                isEnd: isEnd
            )
            consumed += step.consumed
            try demandNoFailure()
            guard step.stop == .rowGroupFull else { return consumed }
            try flushLargest()
        }
    }

    private func flushLargest() throws {
        let services = decoder.services
        try decoder.flushLargest { try submit($0, $1, services) }
    }

    /// Decodes a record of bronze again.
    func decode(record: UnsafeRawBufferPointer, paddingByteCount: Int, at offset: UInt64) throws {
        if decoder.decode(record: record, paddingByteCount: paddingByteCount, offset: offset) == .rowGroupFull
        {
            try flushLargest()
        }
    }

    private func demandNoFailure() throws {
        guard wanted == nil, replay == nil, let failure = decoder.failure else { return }
        throw PipelineError(
            code: .expectationFailed,
            message:
                "\(failure.source), byte \(failure.offset): the event breaks \(failure.rule.rawValue), and nothing of the batch was committed",
            mend:
                "mend the file, or set `expectations: {\(failure.rule.rawValue): drop}` to put such events into the quarantine"
        )
    }

    /// Where rows belong, and on which day since 1970-01-01.
    private func destination(
        of target: DatabricksTarget,
        _ services: [ServiceSchema]
    ) -> (table: TableName, storage: [ColumnStorage], day: Int64) {
        let settings = pipeline.settings
        return switch target {
        case .quarantine: (settings.quarantine, TableShape.quarantine.storage, ingestDay)
        case .bronze: (settings.bronze, TableShape.bronze.storage, ingestDay)
        case .silver(let date): (settings.silver, TableShape.silver.storage, Int64(date))
        case .gold(let index, let date):
            (settings.gold(services[index]), TableShape.eventStorage, Int64(date))
        }
    }

    private func submit(
        _ target: DatabricksTarget,
        _ batch: RecordBatch,
        _ services: [ServiceSchema]
    ) throws {
        if let replay { return try submit(target, batch, services, replay) }
        let (table, storage, day) = destination(of: target, services)
        guard wanted?.contains(table) ?? true else { return }
        var target = FileTarget(
            folder: table.folder,
            schema: batch.schema,
            storage: storage + batch.plainTexts(besides: storage),
            partition: (name: "date", value: UTCDay.text(days: day))
        )
        // Ordinals of equal records count on the order of its rows.
        target.isOneFile = table == pipeline.settings.bronze
        try encoder.submit(batch, to: target)
    }

    private func submit(
        _ target: DatabricksTarget,
        _ batch: RecordBatch,
        _ services: [ServiceSchema],
        _ replay: ReplayTarget
    ) throws {
        switch target {
        case .bronze: return
        case .quarantine: return try submitQuarantine(batch, replay)
        case .silver: break
        case .gold(let index, _): if replay.makesTables { try pipeline.makeGold(services[index]) }
        }
        let (table, storage, day) = destination(of: target, services)
        // Of rows that belong to another day only what tells them is kept: a row may have come from a day that is wanted.
        let isWanted = replay.days.contains(day)
        let rows = isWanted ? batch : ReplayTarget.keys(of: batch)
        let target = FileTarget(
            folder: isWanted ? replay.folder(of: table) : replay.foreignFolder(of: table),
            schema: rows.schema,
            storage: isWanted ? storage : [],
            partition: (name: "date", value: UTCDay.text(days: day))
        )
        try encoder.submit(rows, to: target)
    }

    /// What goes to the quarantine today; which rows of it the table gets is decided once all lines are read.
    private func submitQuarantine(_ batch: RecordBatch, _ replay: ReplayTarget) throws {
        guard replay.layer == .silver else { return }
        let target = FileTarget(
            folder: replay.quarantineFolder,
            schema: batch.schema,
            storage: TableShape.quarantine.storage,
            partition: (name: "date", value: UTCDay.text(days: ingestDay))
        )
        try encoder.submit(batch, to: target)
    }

    /// Makes the files of a replay durable.
    ///
    /// - Returns: The files, by the folder that they lie in, and the services as they are after all rows.
    /// - Throws: `PipelineError` with code `expectationFailed` when an event breaks a rule that may not be broken.
    func finishReplay() throws -> (files: [String: [StagedFile]], services: [ServiceSchema]) {
        try orCancel {
            if let failure = decoder.failure {
                throw PipelineError(
                    code: .expectationFailed,
                    message:
                        "\(failure.source), byte \(failure.offset): the event in bronze breaks \(failure.rule.rawValue), and nothing was replayed",
                    mend:
                        "set `expectations: {\(failure.rule.rawValue): warn}`, or drop to leave such events out"
                )
            }
            decoder.endLine()
            let services = decoder.services
            try decoder.flushAll { try submit($0, $1, services) }
        }
        return (try encoder.finish(), decoder.services)
    }

    /// Makes every file durable.
    func finish() throws -> StagedBatch {
        try orCancel {
            decoder.endLine()
            let services = decoder.services
            try decoder.flushAll { try submit($0, $1, services) }
        }
        var staged = StagedBatch()
        let files = try encoder.finish()
        for (index, rows) in decoder.totals.goldRowCounts.enumerated() where rows > 0 {
            try pipeline.openGold(decoder.services[index])
        }
        for table in pipeline.tables { staged.files[table.name] = files[table.folder] }
        for (index, service) in decoder.services.enumerated() {
            let table = pipeline.settings.gold(service)
            guard staged.files[table] != nil else { continue }
            // A table that was left for later may not have grown with the batches before, nor one of a service that grew
            // by a replay which did not touch the table.
            let isLate = wanted?.contains(table) ?? false
            let isKnown = index < known.services.count && known.services[index] == service
            if try isLate || !isKnown || !pipeline.hasRoom(for: service) {
                staged.grown[table] = TableShape.gold(service).schema
            }
        }
        if pipeline.isDeferring {
            for (index, rows) in decoder.totals.goldRowCounts.enumerated() where rows > 0 {
                staged.deferredRows[pipeline.settings.gold(decoder.services[index])] = rows
            }
        }
        staged.stateChanges = try known.changes(to: decoder.services, plannedAt: plannedAt)
        return staged
    }
}
