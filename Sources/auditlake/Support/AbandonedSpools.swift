import Configuration
import Logging
import Pipelines

extension LakeConfiguration {
    /// Copies of logs in the spool's folder, or in the one that it has by default, which no pipeline reads.
    func abandonedSpools() throws -> [AbandonedSpool] {
        let used = try pipelines.compactMap { pipeline -> String? in
            guard case .postgres(let settings) = try settings(of: pipeline) else { return nil }
            return settings.spool?.folder
        }
        return AbandonedSpool.find(
            in: Set([spool?.folder, standardSpoolFolder].compactMap(\.self)),
            besides: Set(used)
        )
    }
}

extension AbandonedSpool {
    private var words: String {
        "\(folder) holds \(byteCount) bytes of logs from when a lake was down, and no pipeline of this configuration reads them"
    }

    private static let mend =
        "give pipeline, lake and spool the names that they had and run once, or remove the folder"

    /// What is said of it on one line, with the way to mend it.
    var line: String { "\(words); \(Self.mend)" }

    /// What a check says of it.
    var finding: Finding { Finding(.warning, "spool", words, mend: Self.mend) }

    /// Says it in a run's log.
    func tell(_ logger: Logger) {
        logger.warning(
            "\(line)",
            metadata: [
                "event": "spool_abandoned", "folder": .string(folder),
                "bytes": .stringConvertible(byteCount),
            ]
        )
    }
}
