import AuditFormats
import Catalog
import DeltaTables

extension DatabricksPipeline {
    /// Decodes bronze up to the basis once more.
    ///
    /// - Returns: The files by the folder that they lie in, and the services as they are after all rows.
    func replay(
        _ basis: ReplayBasis,
        into target: ReplayTarget
    ) throws -> (files: [String: [StagedFile]], services: [ServiceSchema]) {
        let staging = EventStaging(
            self,
            known: basis.known,
            plannedAt: basis.plannedAt,
            wanted: nil,
            replay: target
        )
        let quarantine = basis.tables[settings.quarantine]
        var lines = try QuarantinedLines(of: quarantine)
        try staging.orCancel { try decode(basis, into: staging, &lines) }
        var made = try staging.finishReplay()
        guard target.layer == .silver else { return made }
        let quarantined = made.files.removeValue(forKey: target.quarantineFolder) ?? []
        let writer = QuarantineReplay(
            store: lake.store,
            days: target.days,
            settings: settings.decoding,
            lines: lines,
            now: clock() / 1_000
        )
        let folder = target.folder(of: settings.quarantine)
        do {
            let keys = quarantined.map {
                "\(target.quarantineFolder)/\($0.add.path.decoded)"
            }
            made.files[folder] = try writer.write(quarantine, made: keys, into: folder)
        } catch {
            for (folder, files) in made.files {
                for file in files { try? lake.store.remove("\(folder)/\(file.add.path.decoded)") }
            }
            throw error
        }
        return made
    }

    private func decode(
        _ basis: ReplayBasis,
        into staging: EventStaging,
        _ lines: inout QuarantinedLines
    ) throws {
        try BronzeReader(table: basis.bronze).read(
            days: nil,
            isWanted: { $0 <= basis.plannedAt },
            begin: { source, time, modified in
                staging.begin(source, modified: modified, ingestTime: time)
                lines.begin(source, time)
            },
            body: { row in
                guard !observer.isCancelled() else {
                    throw PipelineError(
                        code: .cancelled,
                        message: "the replay was stopped; no table was changed",
                        mend: "run it again"
                    )
                }
                try staging.decode(
                    record: row.bytes,
                    paddingByteCount: row.paddingByteCount,
                    at: row.sourceOffset
                )
                lines.meet(row.sourceOffset, byteCount: row.bytes.count)
            }
        )
    }
}
