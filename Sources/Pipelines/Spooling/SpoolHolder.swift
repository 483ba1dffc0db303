import Intake
import Synchronization

/// The spool of a pipeline, once this process has it.
///
/// Another one may have it now and end at any time, so it is asked for again and again; what keeps it away is told once.
final class SpoolHolder: Sendable {
    fileprivate struct State {
        var spool: Spool?
        /// What was told last of what keeps it away.
        var obstacle: String?
    }

    /// Where it lies.
    let settings: SpoolSettings
    private let observer: PipelineObserver
    private let state = Mutex(State())

    /// Has nothing yet.
    init(_ settings: SpoolSettings, observer: PipelineObserver) {
        self.settings = settings
        self.observer = observer
    }

    /// The spool, when this process has it.
    var spool: Spool? { state.withLock { $0.spool } }

    /// Tells once more what keeps the spool away, when that is met again.
    func tellAnew() { state.withLock { $0.obstacle = nil } }

    /// Asks for the spool unless this process has it; one whose folder somebody has removed is made anew.
    ///
    /// - Parameters:
    ///   - isMade: Whether it is made when it is not there; else one that holds nothing is left alone.
    ///   - isPatient: Whether half a second is waited for a process that may be about to end.
    /// - Returns: nil when there is none, or another process has it.
    @discardableResult
    func ask(isMade: Bool, isPatient: Bool) -> Spool? {
        let (spool, news) = state.withLock { $0.ask(settings, isMade: isMade, isPatient: isPatient) }
        if let news { observer.event(.spool(news)) }
        return spool
    }

    /// Does something with the spool, when this process has it; what fails is told, and holds nothing up.
    func attempt(_ body: (Spool) throws -> Void) {
        guard let spool else { return }
        do {
            try body(spool)
        } catch {
            if state.withLock({ $0.isNews("\(error)") }) { observer.event(.spool(.unusable(error))) }
        }
    }
}

extension SpoolHolder.State {
    fileprivate mutating func ask(
        _ settings: SpoolSettings,
        isMade: Bool,
        isPatient: Bool
    ) -> (Spool?, SpoolEvent?) {
        if let spool { return (spool, held(spool, in: settings.folder)) }
        let event: SpoolEvent
        let words: String
        do {
            spool = try settings.open(isMade: isMade, isPatient: isPatient)
            if spool != nil { obstacle = nil }
            if let place = spool?.setAside { return (spool, .setAside(folder: place)) }
            // One that holds nothing is missed by nobody.
            if spool != nil || !isMade { return (spool, nil) }
            (event, words) = (.taken(folder: settings.folder), "")
        } catch {
            (event, words) = (.unusable(error), "\(error)")
        }
        return (nil, isNews(words) ? event : nil)
    }

    /// Makes sure that a spool is where it was; what there is to tell of it.
    private mutating func held(_ spool: Spool, in folder: String) -> SpoolEvent? {
        do {
            return try spool.hold() ? .removed(folder: folder) : nil
        } catch {
            return isNews("\(error)") ? .unusable(error) : nil
        }
    }

    /// Whether something else kept the spool away before.
    mutating func isNews(_ words: String) -> Bool {
        defer { obstacle = words }
        return words != obstacle
    }
}
