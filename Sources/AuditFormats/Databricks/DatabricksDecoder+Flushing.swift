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
        while heldByteCount > goal {
            guard let target = largest() else { return }
            try flush(target, body)
        }
    }

    /// Takes all open row groups: the end of a batch.
    ///
    /// - Parameter body: Receives each with what it belongs to; what it throws ends the flush, the rest stays open.
    package mutating func flushAll(_ body: (DatabricksTarget, RecordBatch) throws -> Void) rethrows {
        if quarantine.count > 0 { try flush(.quarantine, body) }
        if bronze.count > 0 { try flush(.bronze, body) }
        for date in silver.keys.sorted() { try flush(.silver(date: date), body) }
        for service in eventServices.states.indices {
            for date in eventServices.states[service].gold.keys.sorted() {
                try flush(.gold(service: service, date: date), body)
            }
        }
        pools.removeAll()
        eventServices.forgetEntries()
    }

    /// The target that holds most; among equals the first in the order of `flushAll`.
    private func largest() -> DatabricksTarget? {
        var best: (target: DatabricksTarget, byteCount: Int)?
        func offer(_ target: DatabricksTarget, _ byteCount: Int) {
            if byteCount > best?.byteCount ?? 0 { best = (target, byteCount) }
        }
        if quarantine.count > 0 { offer(.quarantine, quarantine.byteCount) }
        if bronze.count > 0 { offer(.bronze, bronze.byteCount) }
        for date in silver.keys.sorted() {
            offer(.silver(date: date), (silver[date]?.byteCount ?? 0) + Self.emptyRowsByteCount)
        }
        for (service, state) in eventServices.states.enumerated() {
            for date in state.gold.keys.sorted() {
                let byteCount = (state.gold[date]?.byteCount ?? 0) + Self.emptyRowsByteCount
                offer(.gold(service: service, date: date), byteCount)
            }
        }
        return best?.target
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
