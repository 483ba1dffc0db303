import Foundation
import Pipelines

/// Tells each phase of a run to a test that wants to kill or stop the process in it.
///
/// The descriptor named by `AUDITLAKE_PHASE_FD` receives one byte at the start of each phase (`PipelinePhase.rawValue`);
/// a reader that does not read holds the process there.
struct PhasePipe: Sendable {
    private let descriptor: Int32

    /// Takes the descriptor from the environment; nil when the variable is not set.
    init?(environment: [String: String]) {
        guard let text = environment["AUDITLAKE_PHASE_FD"], let descriptor = Int32(text) else { return nil }
        self.descriptor = descriptor
    }

    /// Writes the phase's byte; a reader that has gone away is no matter.
    func note(_ phase: PipelinePhase) { note(phase.rawValue) }

    /// Writes a byte; a reader that has gone away is no matter.
    func note(_ byte: UInt8) {
        var byte = byte
        _ = write(descriptor, &byte, 1)
    }
}
