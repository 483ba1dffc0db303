/// Durations counted by size.
struct DurationHistogram: Hashable, Sendable {
    /// Upper bounds of the buckets, in seconds; a batch of a live log takes a fraction of a second, one of a gigabyte ten.
    static let bounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

    /// Observations in each bucket alone, those above every bound last.
    private var counts = [UInt64](repeating: 0, count: DurationHistogram.bounds.count + 1)
    /// Seconds of all observations together.
    private(set) var sum = 0.0

    /// Counts one duration, in seconds.
    mutating func observe(_ seconds: Double) {
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum += seconds
    }

    /// The number of observations.
    var count: UInt64 { counts.reduce(0, +) }

    /// The histogram's lines: cumulative buckets, sum, count.
    func samples(_ labels: [(name: String, value: String)]) -> [Exposition.Sample] {
        var total: UInt64 = 0
        var samples: [Exposition.Sample] = []
        for (bound, count) in zip(Self.bounds + [.infinity], counts) {
            total += count
            let label = (name: "le", value: Exposition.number(bound))
            samples.append(
                Exposition.Sample(suffix: "_bucket", labels: labels + [label], value: Double(total))
            )
        }
        samples.append(Exposition.Sample(suffix: "_sum", labels: labels, value: sum))
        samples.append(Exposition.Sample(suffix: "_count", labels: labels, value: Double(total)))
        return samples
    }
}
