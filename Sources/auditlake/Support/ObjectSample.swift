import AuditFormats
import Pipelines

/// What the first bytes of an object hold.
struct ObjectSample {
    /// Records, damaged ones among them.
    var recordCount: Int
    /// Records that will go to the quarantine.
    var faultCount: Int
    /// What a record is, in the plural.
    var word: String

    /// Decodes the first bytes of an object.
    ///
    /// - Returns: nil for a pipeline that reads no objects.
    init?(
        _ bytes: UnsafeRawBufferPointer,
        _ paddingByteCount: Int,
        of key: String,
        isEnd: Bool,
        _ settings: PipelineSettings
    ) {
        switch settings {
        case .postgres: return nil
        case .databricks(let settings):
            var decoder = DatabricksDecoder(settings: settings.decoding, services: [])
            decoder.begin(source: key, sourceTime: nil)
            _ = decoder.decode(bytes, paddingByteCount: paddingByteCount, baseOffset: 0, isEnd: isEnd)
            let totals = decoder.totals
            (recordCount, faultCount, word) = (totals.recordCount, totals.quarantineRowCount, "audit events")
        case .customerCSV(let settings):
            let totals = Self.customerTotals(bytes, paddingByteCount, of: key, isEnd: isEnd, settings)
            faultCount = totals.quarantineRowCount
            recordCount = totals.rowCount + totals.duplicateCount + faultCount
            word = "CSV records"
        }
    }

    private static func customerTotals(
        _ bytes: UnsafeRawBufferPointer,
        _ paddingByteCount: Int,
        of key: String,
        isEnd: Bool,
        _ settings: CustomerCSVPipelineSettings
    ) -> CustomerCSVDecoder.Totals {
        let ids = EventIndex()
        var decoder = CustomerCSVDecoder(settings: settings.decoding, columns: [], index: ids)
        decoder.begin(source: key, customer: settings.customerPath?.customer(of: key), from: 0)
        var consumed = 0
        while true {
            let step = decoder.decode(
                UnsafeRawBufferPointer(rebasing: bytes[consumed...]),
                paddingByteCount: paddingByteCount,
                baseOffset: UInt64(consumed),
                isEnd: isEnd
            )
            consumed += step.consumed
            switch step.stop {
            case .needsMoreInput: return decoder.totals
            case .rowGroupFull: decoder.flushAll { _, _ in }
            // Rows are held against those of the sample alone.
            case .needsDay(let day): ids.open(day)
            case .needsUndated: ids.open(nil)
            }
        }
    }
}
