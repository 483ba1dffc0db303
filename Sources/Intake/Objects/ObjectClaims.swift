import BatchProtocol
import CByteScan

/// Which of the names of one object it is read by: links lead to it, or several patterns mean it by different paths.
///
/// It is the name under which most was read, the first one of a listing when nothing was.
struct ObjectClaims {
    private struct Claim {
        /// Hash of the name that the object is read by.
        var name: UInt64
        /// Bytes that were read under it.
        var to: UInt64
    }

    private var claims: [FileID: Claim] = [:]
    /// Objects of which a later name won over an earlier one.
    private var disputed: Set<FileID> = []

    /// Expects about so many objects.
    init(expecting count: Int) { claims.reserveCapacity(count) }

    /// The number of objects.
    var count: Int { claims.count }

    /// Whether an object is read by this name, as far as is known now; a name that comes again is not.
    mutating func take(_ listed: ListedObject, seen: SeenObject?) -> Bool {
        guard let identity = listed.identity else { return true }
        let claim = Claim(name: Self.hash(listed.key), to: seen?.to ?? 0)
        guard let first = claims[identity] else {
            claims[identity] = claim
            return true
        }
        guard claim.to > first.to, claim.name != first.name else { return false }
        claims[identity] = claim
        disputed.insert(identity)
        return true
    }

    /// Whether an object that `take` was true for is read by this name after all.
    func holds(_ object: FoundObject) -> Bool {
        guard let identity = object.identity, disputed.contains(identity) else { return true }
        var key = object.key
        return key.withUTF8 { claims[identity]?.name == Self.hash(UnsafeRawBufferPointer($0)) }
    }

    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        bs_hash64(key.baseAddress, key.count)
    }
}
