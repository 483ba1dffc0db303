import Intake
import ObjectStorage

/// What becomes of log files while the lake is down.
package enum SpoolEvent: Sendable {
    /// There is no spool: what vanishes before the lake is back is lost.
    case unusable(any Error)
    /// Another process has the spool; this one goes on asking for it while the lake is down.
    case taken(folder: String)
    /// The lake failed, and logs are spooled from now on.
    case began(any Error)
    /// The spool has changed.
    case grew(byteCount: UInt64, refused: UInt64)
    /// The spool takes no more for now; told once for each reason.
    case refuses(Spool.Refusal, bytes: UInt64)
    /// Files could not be read, or copies not be written.
    case failed([StorageError])
    /// Somebody has removed the spool's folder: it was made anew, without the copies.
    case removed(folder: String)
    /// The spool's manifest was damaged: it lies in this folder now, with copies that nobody can tell apart any more.
    case setAside(folder: String)
    /// The lake is back and has all that is there.
    case ended
    /// The same, but nothing was kept meanwhile: there was no spool.
    case endedUnkept
}
