import AuditFormats
import Foundation
import Testing

/// Random files become what Python's `csv` module and a second reading of the rules make of them (`Fixtures/expected.py`).
@Suite struct CSVExpectedTests {
    @Test(arguments: try ExpectedCSV.cases())
    func filesBecomeWhatPythonMakesOfThem(_ expected: ExpectedCSV) throws {
        for isPortable in [false, true] {
            let decoded = decodeCSV(expected.csvFiles, isPortable: isPortable, expected.change)
            #expect(decoded.columns.map(\.name) == expected.columns.map(\.name))
            #expect(decoded.shape == expected.columns.map { "\($0.column) \($0.type)" })
            for (day, rows) in expected.days {
                let found = decoded.days[day] ?? []
                #expect(found.count == rows.count, "day \(day)")
                for (one, other) in zip(found, rows) {
                    #expect(one.filter { $0.key != "source_offset" } == other)
                }
            }
            #expect(decoded.days.keys.sorted() == expected.days.keys.sorted())
            #expect(decoded.totals.rowCount == expected.counts["rows"])
            #expect(decoded.totals.duplicateCount == expected.counts["duplicates"])
            #expect(decoded.totals.quarantineRowCount == expected.counts["quarantine"])
            #expect(decoded.totals.rescuedValueCount == expected.counts["rescued"])
            #expect(decoded.totals.undatedRowCount == expected.counts["undated"])
            #expect(decoded.reasons.allSatisfy { $0 == .text("ragged_record") })
        }
    }

    @Test(arguments: [(1, 1), (3, 2), (17, 3), (64, 6), (65, 6), (1_000, 6)])
    func windowsOfAnySizeGiveTheSameRows(_ window: Int, _ caseCount: Int) throws {
        for expected in try ExpectedCSV.cases().prefix(caseCount) {
            let whole = decodeCSV(expected.csvFiles, expected.change)
            let parts = decodeCSV(expected.csvFiles, window: window, budget: 1, expected.change)
            #expect(parts == whole)
            #expect(parts.flushCount >= min(1, whole.totals.rowCount))
        }
    }
}

/// A case of `Fixtures/expected.json`.
struct ExpectedCSV: Decodable, Sendable, CustomTestStringConvertible {
    struct Settings: Decodable {
        var customer: String?
        var excluded: [String]
        var declared: [String: String]
        var masks: [String: Mask]
        var maskKey: String
    }

    struct Mask: Decodable {
        var mask: ColumnMask

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let count = try? value.decode(Int.self) {
                mask = .truncate(count)
            } else {
                mask = try value.decode(String.self) == "hash" ? .hash : .drop
            }
        }
    }

    struct File: Decodable {
        var text: String
        var source: String
        var customer: String?
    }

    struct Column: Decodable {
        var name: String
        var column: String
        var type: String
    }

    struct Row: Decodable {
        var day: Int32
        var values: [String: Value]
        var rescued: [String: String]
    }

    struct Value: Decodable {
        var cell: Cell

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            switch try list.decode(String.self) {
            case "text": cell = .text(try list.decode(String.self))
            case "number": cell = .number(try list.decode(Int64.self))
            case "decimal": cell = .decimal(try list.decode(Double.self))
            default: cell = .flag(try list.decode(Bool.self))
            }
        }
    }

    var settings: Settings
    var files: [File]
    var columns: [Column]
    var rows: [Row]
    var counts: [String: Int]

    var testDescription: String { files.first?.source ?? "no file" }

    static func cases() throws -> [ExpectedCSV] {
        let place = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Fixtures/expected.json"
        )
        return try JSONDecoder().decode([ExpectedCSV].self, from: try Data(contentsOf: place))
    }

    var csvFiles: [CSVFile] { files.map { CSVFile($0.text, source: $0.source, customer: $0.customer) } }

    func change(_ settings: inout CustomerCSVSettings) {
        settings.customerColumn = self.settings.customer
        settings.excluded = Set(self.settings.excluded)
        settings.declared = self.settings.declared.compactMapValues { try? CSVColumnType($0) }
        settings.masks = self.settings.masks.mapValues(\.mask)
        settings.maskKey = Array(self.settings.maskKey.utf8)
    }

    /// The rows by day, as `decodeCSV` gives them but for their offsets.
    var days: [Int32: [EventTableRow]] {
        var days: [Int32: [EventTableRow]] = [:]
        for row in rows {
            var cells = row.values.mapValues(\.cell)
            if !row.rescued.isEmpty { cells["_rescued"] = .pairs(row.rescued.mapValues { .text($0) }) }
            cells["ingest_ts"] = .number(ingestTimeOfEvents)
            days[row.day, default: []].append(cells)
        }
        return days
    }
}
