import Catalog
import Pipelines
import ServiceLifecycle
import Telemetry

/// One pipeline that follows its files until the process is asked to stop.
struct FollowService: Service {
    let settings: PipelineSettings
    let lake: Lake
    let telemetry: RunTelemetry
    let phases: PhasePipe?

    func run() async throws {
        let stop = StopRequest()
        let watch = RunWatch(settings, lake, telemetry)
        let observer = PipelineObserver(phase: { [phases] in phases?.note($0) }, event: watch.note)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await watch.watching {
                _ = try await settings.follow(
                    lake: lake,
                    observer: observer,
                    stop: stop,
                    clock: wallClock
                )
            }
        } onCancelOrGracefulShutdown: {
            telemetry.stopping()
            stop.make()
        }
    }
}
