import CByteScan

/// Splits the records of a CSV file by RFC 4180, and by what else is about.
///
/// A quote inside a field without quotes is a byte like any other. Text between a closing quote and the next separator makes a
/// record malformed: a writer that does not double its quotes cannot be understood, only guessed at.
package struct CSVTableSplitter: ~Copyable {
    /// What lies at the start of some bytes.
    package enum Step: Hashable {
        /// A record; `record` has its fields.
        case record(byteCount: Int)
        /// The end has not been read, or a quote is open at the end of the input.
        case incomplete
        /// No record: a field ends wrongly.
        case malformed(field: Int, offset: Int)
    }

    /// How the records are written.
    var dialect: bs_csv_dialect
    private(set) var fields: UnsafeMutablePointer<bs_field>
    private(set) var texts: UnsafeMutablePointer<bs_text>
    private(set) var capacity: Int
    /// The number of fields of the last record, also of those beyond the capacity.
    package private(set) var fieldCount = 0
    /// Bytes of the last record without its line end.
    private(set) var byteCount = 0
    /// Whether the last record has bytes above 0x7F.
    private(set) var hasHighBytes = false

    /// Creates a splitter.
    ///
    /// - Parameters:
    ///   - separator: The byte between fields.
    ///   - endsWithCarriageReturn: A carriage return alone ends a record, too.
    ///   - isPortable: No instructions are used that not every processor has.
    ///   - capacity: The most fields that are looked at.
    package init(
        separator: UInt8 = UInt8(ascii: ","),
        endsWithCarriageReturn: Bool = false,
        isPortable: Bool = false,
        capacity: Int = 0
    ) {
        dialect = bs_csv_dialect(
            separator: separator,
            ends_with_cr: endsWithCarriageReturn ? 1 : 0,
            portable: isPortable ? 1 : 0
        )
        self.capacity = capacity
        fields = .allocate(capacity: max(capacity, 1))
        texts = .allocate(capacity: capacity + 1)
    }

    deinit {
        fields.deallocate()
        texts.deallocate()
    }

    /// Makes room for the fields of a record, and for one more text.
    mutating func reserve(_ count: Int) {
        guard count > capacity else { return }
        fields.deallocate()
        texts.deallocate()
        capacity = count
        fields = .allocate(capacity: count)
        texts = .allocate(capacity: count + 1)
    }

    /// Looks at the start of `bytes`, which is a record border.
    ///
    /// - Parameters:
    ///   - bytes: Not empty.
    ///   - isEnd: Nothing follows them.
    /// - Returns: What lies there.
    /// - Complexity: O(length of the record).
    @inline(__always)
    package mutating func step(_ bytes: UnsafeRawBufferPointer, isEnd: Bool) -> Step {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return .incomplete }
        let start = base.assumingMemoryBound(to: UInt8.self)
        let found = bs_csv_table_split(start, bytes.count, isEnd ? 1 : 0, dialect, fields, UInt32(capacity))
        fieldCount = Int(found.field_count)
        byteCount = Int(found.length)
        hasHighBytes = found.has_high_bytes != 0
        switch found.status {
        case BS_CSV_COMPLETE: return .record(byteCount: Int(found.consumed))
        case BS_CSV_INCOMPLETE: return .incomplete
        default: return .malformed(field: Int(found.field_count) + 1, offset: Int(found.length))
        }
    }

    /// The fields of the last record as texts, quotes undone; for tests and headers.
    ///
    /// - Parameter bytes: Those of the last step.
    /// - Returns: As many as were looked at.
    package func strings(in bytes: UnsafeRawBufferPointer) -> [String] {
        (0..<min(fieldCount, capacity)).map { index in
            let field = fields[index]
            let stored = bytes[Int(field.start)..<Int(field.end)].bindMemory(to: UInt8.self)
            let text = [UInt8](unsafeUninitializedCapacity: stored.count) { room, count in
                count = bs_unescape(
                    stored.baseAddress,
                    stored.count,
                    bs_escape(UInt32(field.escape)),
                    room.baseAddress
                )
            }
            return String(decoding: text, as: UTF8.self)
        }
    }
}
