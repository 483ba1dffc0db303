import Catalog
import Pipelines
import ServiceLifecycle

/// One pipeline that follows its files until the process is asked to stop.
struct FollowService: Service {
    let settings: PostgresPipelineSettings
    let lake: Lake
    let observer: PipelineObserver

    func run() async throws {
        let stop = StopRequest()
        try await withGracefulShutdownHandler {
            _ = try await PostgresPipeline.follow(
                settings,
                lake: lake,
                observer: observer,
                stop: stop,
                clock: wallClock
            )
        } onGracefulShutdown: {
            stop.make()
        }
    }
}
