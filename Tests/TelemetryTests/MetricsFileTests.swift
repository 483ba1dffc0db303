import Foundation
import Logging
import Testing

@testable import Telemetry

@Suite struct MetricsFileTests {
    private func logger(_ lines: Lines) -> Logger {
        Logger(label: "test") { _ in
            LineLogHandler(format: .text, level: .debug, clock: { 0 }, write: lines.append)
        }
    }

    @Test func theFileIsReplacedAndNothingElseIsLeft() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "metrics-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "auditlake.prom").path
        let file = MetricsFile(path: path, logger: logger(Lines()))
        file.replace(with: "first, and longer\n")
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        file.replace(with: "second\n")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "second\n")
        // Whoever has the old file open still reads all of it.
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = read(descriptor, &bytes, 100)
        #expect(String(decoding: bytes[..<count], as: UTF8.self) == "first, and longer\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["auditlake.prom"])
    }

    @Test func aFolderThatIsMissingIsOneWarning() {
        let lines = Lines()
        let file = MetricsFile(path: "/nowhere/at/all.prom", logger: logger(lines))
        file.replace(with: "")
        file.replace(with: "")
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains("/nowhere/at") == true)
    }
}
