import Foundation
import Monitors
import Testing

/// A value between threads.
@Suite struct MonitorTests {
    /// Runs `body` on a thread of its own; the semaphore tells of its end.
    private func start(_ body: @escaping @Sendable () -> Void) -> DispatchSemaphore {
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            body()
            ended.signal()
        }
        return ended
    }

    @Test func changesOfManyThreadsAreAllThere() {
        let monitor = Monitor(0)
        let threads = (1...4).map { _ in
            start { for _ in 1...1_000 { monitor.change { $0 += 1 } } }
        }
        for thread in threads { thread.wait() }
        let sum = monitor.read { $0 }
        #expect(sum == 4_000)
    }

    @Test func whoWaitsGoesOnOnceTheValueIsAsItIsWanted() {
        let monitor = Monitor<[Int]>([])
        let taker = start {
            for number in 1...100 {
                let first = monitor.change(once: { !$0.isEmpty }, { $0.removeFirst() })
                #expect(first == number)
            }
        }
        for number in 1...100 { monitor.change(once: \.isEmpty) { $0.append(number) } }
        taker.wait()
        let rest = monitor.read { $0 }
        #expect(rest.isEmpty)
    }

    @Test func allWhoWaitAreToldOfAChange() {
        let monitor = Monitor(false)
        let threads = (1...3).map { _ in start { monitor.wait(for: .seconds(600)) { $0 } } }
        monitor.change { $0 = true }
        for thread in threads { thread.wait() }
    }

    @Test(arguments: [Duration.seconds(-1), .zero, .milliseconds(1)])
    func aWaitEndsWithItsTime(_ duration: Duration) {
        let monitor = Monitor(false)
        monitor.wait(for: duration) { $0 }
        let isDone = monitor.read { $0 }
        #expect(!isDone)
    }
}
