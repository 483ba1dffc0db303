import BatchProtocol
import ObjectStorage

/// What one look has come to so far.
struct LookRound {
    /// What earlier batches have read.
    let state: ShardState
    /// The ids in it.
    let ids: Set<String>
    var remarks: [TailedFileSource.Remark]
    /// Files that are there and cannot be read.
    var unreadable: [StorageError] = []
    /// Whether a tracked file that was not met is nowhere.
    var isWhole = true
    /// What could not be looked at now, and may hold what seems to be gone.
    var hidden: [String] = []
    /// The files that can be read and are not empty, oldest first.
    var files: [KnownFile] = []
    /// Which tracked file each one is.
    private(set) var claims: [FileID: TrackedFile] = [:]
    /// The tracked files that were met.
    private(set) var claimed: Set<String> = []
    /// Files that are not read: their bytes are those of another one, or it cannot be told now.
    private(set) var asides: Set<FileID> = []
    /// What each copy was found to be the beginning of.
    private var originals: [FileID: KnownFile] = [:]

    /// Copies of which nothing is unread, and which the state does not know.
    var finishedCopies: [KnownFile] = []

    init(state: ShardState, remarks: [TailedFileSource.Remark]) {
        self.state = state
        self.remarks = remarks
        ids = Set(state.files.map(\.id))
    }

    func isAside(_ file: KnownFile) -> Bool { asides.contains(file.id) }

    /// Tracked files that were not met, the ones read furthest first.
    var unclaimed: [TrackedFile] {
        // Of two that a file may be, the longer one says more.
        state.files.reversed().filter { !claimed.contains($0.id) }.sorted { $0.offset > $1.offset }
    }

    /// Files that are no tracked one, those with a name first.
    var unknown: [KnownFile] {
        let rest = files.filter { claims[$0.id] == nil && !asides.contains($0.id) }
        return rest.filter(\.isFound) + rest.filter { !$0.isFound }
    }

    mutating func claim(_ tracked: TrackedFile, by file: KnownFile) {
        claims[file.id] = tracked
        claimed.insert(tracked.id)
    }

    /// Leaves a file out that cannot be told now: the next look knows.
    mutating func doubt(_ file: KnownFile) {
        isWhole = false
        hidden.append(file.path)
        setAside(file)
    }

    /// Leaves a file out: it is the beginning of another one, or cannot be told now.
    mutating func setAside(_ file: KnownFile, like original: KnownFile? = nil) {
        asides.insert(file.id)
        originals[file.id] = original
    }

    /// Whether batches have all bytes of a file, itself or as the beginning of another one.
    func isRead(_ file: KnownFile) -> Bool { readByteCount(of: file) >= file.byteCount }

    /// How many bytes batches have of a file, or of the one that it is the beginning of.
    func readByteCount(of file: KnownFile) -> UInt64 {
        if let tracked = claims[file.id] { return tracked.offset }
        var next = originals[file.id]
        // A chain of copies has no more links than there are copies.
        for _ in 0...asides.count {
            guard let original = next else { return 0 }
            if let tracked = claims[original.id] { return tracked.offset }
            next = originals[original.id]
        }
        return 0
    }

    /// A file turns out to be the one that another was taken for, which is only a copy.
    mutating func moveClaim(from copy: KnownFile, to file: KnownFile) {
        claims[file.id] = claims.removeValue(forKey: copy.id)
        setAside(copy, like: file)
    }
}
