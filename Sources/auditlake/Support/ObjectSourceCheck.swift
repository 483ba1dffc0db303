import AuditFormats
import BatchProtocol
import Intake
import ObjectStorage
import Pipelines

/// Looks whether a pipeline's objects can be listed, read and understood.
struct ObjectSourceCheck {
    /// Bytes at the start of an object that are looked at.
    private static let sampleByteCount = 1 << 20

    private let name: String
    private let objects: ObjectIntakeSettings
    private let settings: PipelineSettings

    /// The check of a pipeline; nil for one that reads no objects.
    init?(_ settings: PipelineSettings) {
        guard let objects = settings.objects else { return nil }
        name = settings.name
        self.objects = objects
        self.settings = settings
    }

    var findings: [Finding] {
        do {
            if case .databricks = settings, !LogFormat.jsonlog.isReadable {
                return [
                    Finding(.bad, name, "libsimdjson.so.14 is not installed", mend: "install libsimdjson14")
                ]
            }
            let drops = objects.drops(clock: wallClock)
            let look = try drops.look(after: ObjectLedger(), limit: .max)
            let bytes = look.objects.reduce(0) { $0 + $1.byteCount }
            var findings: [Finding] = []
            if !look.objects.isEmpty {
                findings.append(Finding(.good, name, "\(look.objects.count) objects, \(bytes) bytes"))
            }
            findings += look.remarks.map { remark in
                Finding(.warning, name, SourceRemark.objects(remark).words, mend: "check source: objects")
            }
            findings += look.unreadable.map { Finding(.bad, name, $0.description, mend: $0.mend) }
            if let queue = objects.notifications?.queue { findings.append(queueFinding(queue)) }
            for object in samples(of: look.objects) {
                if let finding = try sampleFinding(object, drops) { findings.append(finding) }
            }
            return findings
        } catch {
            let report = ErrorReport(error)
            return [Finding(.bad, name, report.message, mend: report.mend)]
        }
    }

    /// Whether the queue can be reached and looked at, and messages be received; none is taken out.
    private func queueFinding(_ queue: any MessageQueue) -> Finding {
        do {
            return Finding(.good, name, "the queue has about \(try queue.check()) messages")
        } catch {
            let report = ErrorReport(error)
            return Finding(.bad, name, report.message, mend: report.mend)
        }
    }

    /// One of the newest and one of the oldest tell what is there, of plain objects and of compressed ones.
    private func samples(of objects: [FoundObject]) -> Set<FoundObject> {
        let compressed = objects.filter { Compression(path: $0.key) != nil }
        return Set([objects.first, objects.last, compressed.first, compressed.last].compactMap(\.self))
    }

    /// What is wrong with an object's first lines, or with the object as a whole; nil when nothing is.
    private func sampleFinding(_ object: FoundObject, _ drops: ObjectDrops) throws -> Finding? {
        let reader: ObjectReader
        switch try drops.open(object) {
        case .unread(let opened): reader = opened
        case .unusable(let integrity, let isFresh):
            return damageFinding(object, isUnfinished: integrity == .cut && isFresh)
        case .prefixChanged, .nothing: return nil
        }
        var window = InputWindow()
        let count = try window.fill(0, Self.sampleByteCount) { try reader.read(into: $0) }
        let isEnd = try count < Self.sampleByteCount && reader.ending() == .complete
        guard
            let sample = window.withBytes(
                count,
                { bytes, padding in
                    ObjectSample(bytes, padding, of: object.key, isEnd: isEnd, settings)
                }
            ), sample.faultCount > 0
        else { return nil }
        if sample.recordCount == sample.faultCount {
            return Finding(
                .bad,
                name,
                "\(object.key) holds no \(sample.word)",
                mend: "correct the pattern under source: objects"
            )
        }
        return Finding(
            .warning,
            name,
            "\(object.key): \(sample.faultCount) damaged records among \(sample.recordCount)",
            mend: "they will go to the quarantine table"
        )
    }

    private func damageFinding(_ object: FoundObject, isUnfinished: Bool) -> Finding {
        guard !isUnfinished else {
            return Finding(
                .warning,
                name,
                "\(object.key) is compressed and ends too early",
                mend: "a run reads it when it is whole"
            )
        }
        return Finding(
            .bad,
            name,
            "\(object.key) is damaged or cut and cannot be decompressed",
            mend: "bring a sound copy"
        )
    }
}
