import Columnar

extension CustomerCSVDecoder {
    /// Takes the largest open row groups until at most half of the budget is held.
    ///
    /// - Parameter body: Receives each with what it belongs to; what it throws ends the flush, the rest stays open.
    package mutating func flushLargest(
        _ body: (CustomerCSVTarget, RecordBatch) throws -> Void
    ) rethrows {
        let goal = rowGroupByteCount / 2
        // Among equals the first in the order of `flushAll`.
        let targets = openTargets().enumerated()
            .sorted { ($1.element.byteCount, $0.offset) < ($0.element.byteCount, $1.offset) }
        for target in targets {
            guard heldByteCount > goal else { return }
            try flush(target.element.target, body)
        }
    }

    /// Takes all open row groups: the end of a batch.
    ///
    /// - Parameter body: Receives each with what it belongs to; what it throws ends the flush, the rest stays open.
    package mutating func flushAll(_ body: (CustomerCSVTarget, RecordBatch) throws -> Void) rethrows {
        for open in openTargets() { try flush(open.target, body) }
    }

    /// Everything that has rows, and roughly the bytes that it holds: the quarantine, then days in their order.
    private func openTargets() -> [(target: CustomerCSVTarget, byteCount: Int)] {
        var open: [(target: CustomerCSVTarget, byteCount: Int)] = []
        if quarantine.count > 0 { open.append((.quarantine, quarantine.byteCount)) }
        for (date, rows) in days.sorted(by: { $0.key < $1.key }) {
            open.append((.rows(date: date), rows.byteCount))
        }
        return open
    }

    private mutating func flush(
        _ target: CustomerCSVTarget,
        _ body: (CustomerCSVTarget, RecordBatch) throws -> Void
    ) rethrows {
        switch target {
        case .quarantine: try body(target, quarantine.finish())
        case .rows(let date):
            guard let rows = days.removeValue(forKey: date) else { return }
            recentDay = nil
            rowByteCount -= rows.byteCount
            try body(target, rows.columns.finish(schema.columns, schema.layout.slots))
        }
    }
}
