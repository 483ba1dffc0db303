import Yams

/// Where the logs of PostgreSQL pipelines are kept while the lake is down, and how much of them.
package struct SpoolConfiguration: Hashable, Sendable {
    /// Absolute path of the folder; each pipeline has one of its own in it.
    package var folder: String
    /// Most bytes that one pipeline keeps.
    package var maxByteCount: Int
    /// Free bytes of the disk below which nothing is kept.
    package var diskFloorByteCount: Int
}

extension Section {
    /// The spool's folder where the file names none.
    var standardSpoolFolder: String { FilePath.absolute("spool", from: context.expander.folder) }

    /// What the file says of the spool, or the defaults; nil when there is to be none.
    func spool(_ key: String) -> SpoolConfiguration? {
        let standard = SpoolConfiguration(
            folder: standardSpoolFolder,
            maxByteCount: 10_000_000_000,
            diskFloorByteCount: 5_000_000_000
        )
        guard let node = node(key) else { return standard }
        if case .scalar = node { return flag(key, default: true) ? standard : nil }
        let keys = ["folder", "max_bytes", "disk_floor"]
        guard let section = Section(node, name: path(key), keys: keys, context: context) else {
            return standard
        }
        var spool = standard
        if let folder = section.text("folder"), let node = section.node("folder") {
            if folder.value.isEmpty || folder.value.contains("://") {
                section.refuse(
                    node,
                    "\(section.path("folder")) “\(folder)” is no folder of this machine",
                    mend: "write folder: ./spool"
                )
            }
            spool.folder = FilePath.absolute(folder.value, from: context.expander.folder)
        }
        spool.maxByteCount = section.byteCount("max_bytes", default: standard.maxByteCount)
        spool.diskFloorByteCount = section.byteCount("disk_floor", default: standard.diskFloorByteCount)
        return spool
    }
}
