import AuditFormats
import BatchProtocol
import Intake
import ObjectStorage

extension TrackedFile {
    /// What the file holds; files of plans that do not say so are csvlog.
    package var logFormat: LogFormat { format.flatMap(LogFormat.init) ?? .csvlog }
}

extension PostgresPipeline {
    /// What a file holds.
    ///
    /// Once a batch has read of it, that stays, whatever it is called later.
    ///
    /// - Throws: `StorageError` when its first bytes cannot be read; `PipelineError` with code `sourceConflict` when this
    /// run has read records in the other format.
    func format(of file: UnreadFile, _ reader: FileReader) throws -> LogFormat {
        let path = file.found.path
        let format = try file.tracked?.logFormat ?? settings.format ?? reader.detectFormat(path: path)
        try format.demandReadable(path: path)
        if formatsRead[format] == nil { formatsRead[format] = path }
        try refuseConflicts(Dictionary(formatsRead.map { ($0.value, $0.key) }) { first, _ in first })
        return format
    }

    /// Refuses files of both formats before any is read.
    ///
    /// - Throws: `PipelineError` with code `sourceConflict`; `StorageError`.
    func refuseConflicts() throws {
        try refuseConflicts(settings.source.formats(settings.format))
    }

    private func refuseConflicts(_ formats: [String: LogFormat]) throws {
        let files = SourceFiles(
            pipeline: settings.name,
            node: settings.decoding.node,
            table: settings.table.description,
            formats: formats
        )
        if let conflict = SourceConflict.find(among: [files]).first {
            throw PipelineError(conflict: conflict)
        }
    }
}

extension TailedFileSource {
    /// What each file that is there now holds, by its path without links; files that cannot be opened are left out.
    ///
    /// - Parameter format: What all of them hold; nil when each tells.
    /// - Returns: Formats by path.
    /// - Throws: `StorageError`.
    package func formats(_ format: LogFormat?) throws -> [String: LogFormat] {
        var formats: [String: LogFormat] = [:]
        for file in try find().files where file.byteCount > 0 {
            if let known = format ?? LogFormat.named(file.path) {
                formats[file.path] = known
            } else {
                do {
                    guard let reader = try FileReader.openIfThere(file.path) else { continue }
                    formats[file.path] = try reader.detectFormat(path: file.path)
                } catch let error as StorageError where error.concernsOneFile {
                    continue
                }
            }
        }
        return formats
    }
}

extension FileReader {
    /// Bytes at the start of a file that tell its format.
    private static let headByteCount = 64

    /// Tells what a file holds by its name, else by its first bytes.
    ///
    /// - Throws: `StorageError`.
    package func detectFormat(path: String) throws -> LogFormat {
        var head = [UInt8](repeating: 0, count: Self.headByteCount)
        return try head.withUnsafeMutableBytes { head in
            let count = try read(at: 0, into: head)
            return LogFormat.detect(path: path, head: UnsafeRawBufferPointer(rebasing: head[..<count]))
        }
    }
}

extension LogFormat {
    /// Makes sure that the format can be read before any of it is.
    ///
    /// - Throws: `PipelineError` with code `missingLibrary`.
    package func demandReadable(path: String) throws {
        guard !isReadable else { return }
        throw PipelineError(
            code: .missingLibrary,
            message: "\(path) is jsonlog, and libsimdjson.so.14 is not installed",
            mend: "install it (Debian: libsimdjson14), or read csvlog"
        )
    }
}
