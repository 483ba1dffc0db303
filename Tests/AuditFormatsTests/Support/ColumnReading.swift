import Columnar

extension Column {
    /// The texts of a string or dictionary column, nil where one is missing.
    var texts: [String?] {
        switch type {
        case .dictionaryString:
            let entries = dictionary.first?.texts ?? []
            let indices = buffers[0].bytes.bindMemory(to: Int32.self)
            return (0..<count).map { isValid($0) ? entries[Int(indices[$0])] : nil }
        default:
            return (0..<count).map { isValid($0) ? String(validating: bytes($0), as: UTF8.self) : nil }
        }
    }

    /// The numbers of an integer or timestamp column.
    var numbers: [Int64] { Array(buffers[0].bytes.bindMemory(to: Int64.self)) }

    /// The pairs of each map of a map column.
    var pairs: [[(key: String, value: String)]] {
        let offsets = buffers[0].bytes.bindMemory(to: Int32.self)
        let keys = children[0].children[0].texts
        let values = children[0].children[1].texts
        return (0..<count).map { row in
            (Int(offsets[row])..<Int(offsets[row + 1])).map {
                (keys[$0] ?? "no key", values[$0] ?? "no value")
            }
        }
    }

    private func isValid(_ index: Int) -> Bool {
        guard let validity else { return true }
        return validity.bytes[index / 8] >> UInt8(index % 8) & 1 == 1
    }

    private func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        let offsets = buffers[0].bytes.bindMemory(to: Int32.self)
        return UnsafeRawBufferPointer(
            rebasing: buffers[1].bytes[Int(offsets[index])..<Int(offsets[index + 1])]
        )
    }
}

/// A row of the PostgreSQL table.
struct Row: Hashable {
    var eventTime: Int64
    var ingestTime: Int64
    /// The columns of type string that are there, by name.
    var texts: [String: String]
    var extra: [String: String]

    subscript(column: String) -> String? { texts[column] }

    /// The bytes of the record, back from Latin-1 where it was that.
    var rawBytes: [UInt8] {
        let raw = texts["raw"] ?? ""
        return extra["raw_encoding"] == "latin1" ? latin1(raw) : Array(raw.utf8)
    }

    static func rows(of batch: RecordBatch) -> [Row] {
        let columns = Dictionary(uniqueKeysWithValues: zip(batch.schema.map(\.name), batch.columns))
        let texts = zip(batch.schema, batch.columns).filter { $0.0.type == .string }.map {
            (name: $0.0.name, values: $0.1.texts)
        }
        let eventTimes = columns["event_time"]?.numbers ?? []
        let ingestTimes = columns["ingest_ts"]?.numbers ?? []
        let extras = columns["extra"]?.pairs ?? []
        return (0..<batch.rowCount).map { index in
            Row(
                eventTime: eventTimes[index],
                ingestTime: ingestTimes[index],
                texts: Dictionary(
                    uniqueKeysWithValues: texts.compactMap { column in
                        column.values[index].map { (column.name, $0) }
                    }
                ),
                extra: Dictionary(
                    extras[index].map { ($0.key, $0.value) },
                    uniquingKeysWith: { "\($0)|\($1)" }
                )
            )
        }
    }
}

/// A row of the quarantine table.
struct QuarantinedRow: Hashable {
    var source: String
    var range: Range<Int>
    var reason: String
    var detail: String
    var raw: String
    var rawEncoding: String?

    /// The bytes, back from Latin-1 where they were that.
    var rawBytes: [UInt8] { rawEncoding == "latin1" ? latin1(raw) : Array(raw.utf8) }

    static func rows(of batch: RecordBatch) -> [QuarantinedRow] {
        func texts(_ name: String) -> [String?] {
            batch.schema.firstIndex { $0.name == name }.map { batch.columns[$0].texts } ?? []
        }
        func numbers(_ name: String) -> [Int64] {
            batch.schema.firstIndex { $0.name == name }.map { batch.columns[$0].numbers } ?? []
        }
        let (source, reason, detail) = (texts("source"), texts("reason"), texts("detail"))
        let (raw, encoding) = (texts("raw"), texts("raw_encoding"))
        let (offsets, lengths) = (numbers("source_offset"), numbers("length"))
        return (0..<batch.rowCount).map { index in
            QuarantinedRow(
                source: source[index] ?? "",
                range: Int(offsets[index])..<Int(offsets[index] + lengths[index]),
                reason: reason[index] ?? "",
                detail: detail[index] ?? "",
                raw: raw[index] ?? "",
                rawEncoding: encoding[index]
            )
        }
    }
}

/// The bytes of a text all of whose characters are of Latin-1.
func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }
