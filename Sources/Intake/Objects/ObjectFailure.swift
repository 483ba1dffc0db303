import Glibc
import ObjectStorage

/// Why an object was set aside.
struct ObjectFailure {
    enum Fault {
        case error(StorageError)
        /// As long as it may be being written, until when.
        case integrity(ObjectIntegrity, freshUntil: Int64?)
    }

    var fault: Fault
    var object: FoundObject
    /// In nanoseconds since 1970-01-01 UTC.
    var time: Int64

    /// What a person should know besides the error.
    var remark: ObjectSource.Remark? {
        switch fault {
        case .error: nil
        case .integrity(.cut, _): .endsTooEarly(key: object.key)
        case .integrity: .isDamaged(key: object.key)
        }
    }

    /// Why it cannot be read; nil as long as it may be being written.
    func error(now: Int64) -> StorageError? {
        switch fault {
        case .error(let error): return error
        case .integrity(.cut, let freshUntil):
            if let freshUntil, now < freshUntil { return nil }
            return StorageError(errno: ENODATA, operation: "decompress", path: object.key)
        case .integrity: return StorageError(errno: EBADMSG, operation: "decompress", path: object.key)
        }
    }
}
