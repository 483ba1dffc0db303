import Columnar

/// The open row group of silver for one day.
final class SilverRows {
    let date: Int32
    var columns = EventColumns()
    var params = PooledMapBuilder()
    /// Roughly the bytes held.
    var byteCount = 0

    init(date: Int32) { self.date = date }

    func finish(
        pools: borrowing SharedPools,
        keys: borrowing TextPool,
        numbers: inout [Int32]
    ) -> RecordBatch {
        byteCount = 0
        let params = params.finish(from: keys, numbers: &numbers)
        let type = ColumnType.map(key: .string, value: .string)
        return columns.finish(params: params, fieldType: type, pools: pools, numbers: &numbers)
    }
}

/// The open row group of one service's gold table for one day.
final class GoldRows {
    let date: Int32
    var columns = EventColumns()
    var params = TextStructBuilder()
    /// Roughly the bytes held.
    var byteCount = 0

    init(date: Int32) { self.date = date }

    func finish(_ schema: ServiceSchema, pools: borrowing SharedPools, numbers: inout [Int32]) -> RecordBatch
    {
        byteCount = 0
        let names = schema.fieldNames
        let params = params.finish(names: names)
        let type = ColumnType.structure(names.map { ColumnField($0, .string) })
        return columns.finish(params: params, fieldType: type, pools: pools, numbers: &numbers)
    }
}
