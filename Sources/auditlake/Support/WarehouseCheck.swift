import Catalog
import Configuration
import Pipelines
import Warehouse

/// Looks whether what a pipeline loads can get into its warehouse; makes nothing there.
struct WarehouseCheck {
    private let load: PipelineLoad
    private let lake: Lake

    init(_ load: PipelineLoad, _ lake: Lake) {
        self.load = load
        self.lake = lake
    }

    /// What was found, on a thread of its own.
    func finding() async -> Finding {
        let (load, lake) = (load, lake)
        let subject = "warehouse \(load.warehouse), \(load.task.target)"
        do {
            let said = try await WorkerThread.run(stackByteCount: 1 << 20) {
                let name = TableName(load.task.lakeTable, defaultCatalog: "")
                let table = try lake.openForReading() ? name.flatMap { try lake.table($0) } : nil
                return try WarehouseInspection(load.settings, name: load.warehouse, task: load.task).look(
                    at: table
                )
            }
            return Finding(.good, subject, said)
        } catch {
            let report = ErrorReport(error)
            return Finding(.bad, subject, report.message, mend: report.mend)
        }
    }
}
