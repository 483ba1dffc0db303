import Logging
import Pipelines

extension EventLog {
    /// Logs what becomes of log files while the lake is down.
    func log(_ event: SpoolEvent) {
        switch event {
        case .unusable(let error):
            let words = words.error(error)
            logger.error(
                "there is no spool: \(words); logs that are removed while the lake is down are lost",
                metadata: ["event": "spool_unusable", "error": .string(words)]
            )
        case .taken(let folder):
            logger.warning(
                "another process has the spool \(folder): this one keeps nothing, and asks for it again while the lake is down",
                metadata: ["event": "spool_taken", "folder": .string(folder)]
            )
        case .began(let error):
            let words = words.error(error)
            logger.warning(
                "the lake does not answer: logs are spooled until it is back: \(words)",
                metadata: ["event": "spool_began", "error": .string(words)]
            )
        case .grew(let bytes, let refused):
            logger.debug(
                "the spool holds \(bytes) bytes, \(refused) more were seen",
                metadata: [
                    "event": "spool_grew", "bytes": .stringConvertible(bytes),
                    "refused_bytes": .stringConvertible(refused),
                ]
            )
        case .refuses(let refusal, let bytes):
            let reason =
                switch refusal {
                case .isFull: "it has as much as `spool: max_bytes` allows"
                case .copyIsDamaged: "somebody has removed or cut a copy in it"
                case .diskIsFull: "its disk has no more free than `spool: disk_floor` keeps"
                }
            logger.error(
                "the spool takes no more: \(reason); \(bytes) bytes are in the log files alone",
                metadata: [
                    "event": "spool_full", "reason": .string(reason),
                    "refused_bytes": .stringConvertible(bytes),
                ]
            )
        case .failed(let errors):
            for error in errors {
                let words = words.error(error)
                logger.error(
                    "not spooled: \(words)",
                    metadata: ["event": "spool_failed", "error": .string(words)]
                )
            }
        case .setAside(let folder):
            logger.error(
                "the spool's list of its copies was damaged: it lies in \(folder) with them, and nothing reads them; take out what the logs do not have any more, then remove the folder",
                metadata: ["event": "spool_set_aside", "folder": .string(folder)]
            )
        case .removed(let folder):
            logger.error(
                "somebody has removed the spool \(folder): it is made anew; what it kept is in the log files alone",
                metadata: ["event": "spool_removed", "folder": .string(folder)]
            )
        case .ended:
            logger.notice(
                "the lake is back, and has what was kept meanwhile",
                metadata: ["event": "spool_ended"]
            )
        case .endedUnkept:
            logger.notice(
                "the lake is back; nothing was kept meanwhile",
                metadata: ["event": "spool_ended_unkept"]
            )
        }
    }
}
