import Columnar

extension DatabricksDecoder {
    /// Takes the largest open row groups until at most half of the budget is held.
    ///
    /// - Parameter body: Receives each with what it belongs to; what it throws ends the flush, the rest stays open.
    package mutating func flushLargest(
        _ body: (DatabricksTarget, RecordBatch) throws -> Void
    ) rethrows {
        let goal = rowGroupByteCount / 2
        // Texts that rows share are dropped when no row needs them.
        if pools.byteCount > goal / 2 { return try flushAll(body) }
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
    package mutating func flushAll(_ body: (DatabricksTarget, RecordBatch) throws -> Void) rethrows {
        for open in openTargets() { try flush(open.target, body) }
        pools.removeAll()
        eventServices.forgetEntries()
    }

    /// Everything that has rows, and roughly the bytes that it holds: a gold table's days together, services in their order.
    private func openTargets() -> [(target: DatabricksTarget, byteCount: Int)] {
        var open: [(target: DatabricksTarget, byteCount: Int)] = []
        if quarantine.count > 0 { open.append((.quarantine, quarantine.byteCount)) }
        if bronze.count > 0 { open.append((.bronze, bronze.byteCount)) }
        for (date, rows) in silver.sorted(by: { $0.key < $1.key }) {
            open.append((.silver(date: date), rows.byteCount + Self.emptyRowsByteCount))
        }
        for (service, state) in eventServices.states.enumerated() {
            for (date, rows) in state.gold.sorted(by: { $0.key < $1.key }) {
                open.append((.gold(service: service, date: date), rows.byteCount + Self.emptyRowsByteCount))
            }
        }
        return open
    }

    private mutating func flush(
        _ target: DatabricksTarget,
        _ body: (DatabricksTarget, RecordBatch) throws -> Void
    ) rethrows {
        switch target {
        case .quarantine: try body(target, quarantine.finish())
        case .bronze: try body(target, bronze.finish())
        case .silver(let date):
            guard let rows = silver.removeValue(forKey: date) else { return }
            if recentSilver === rows { recentSilver = nil }
            eventByteCount -= rows.byteCount + Self.emptyRowsByteCount
            try body(
                target,
                rows.finish(pools: pools, keys: eventServices.allKeys, numbers: &scratch.numbers)
            )
        case .gold(let service, let date):
            let state = eventServices.states[service]
            guard let rows = state.gold.removeValue(forKey: date) else { return }
            if state.recent === rows { state.recent = nil }
            eventByteCount -= rows.byteCount + Self.emptyRowsByteCount
            let schema = eventServices.publish(service)
            try body(target, rows.finish(schema, pools: pools, numbers: &scratch.numbers))
        }
    }
}
