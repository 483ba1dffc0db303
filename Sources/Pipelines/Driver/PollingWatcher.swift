/// Waits for the time of the next look, for sources that tell of no change.
final class PollingWatcher: SourceWatcher {
    private let request = StopRequest()

    func wait(until deadline: ContinuousClock.Instant) { request.sleep(for: deadline - ContinuousClock.now) }

    func wake() { request.make() }
}
