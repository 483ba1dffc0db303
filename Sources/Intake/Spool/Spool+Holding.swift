import Glibc
import ObjectStorage

extension Spool {
    /// Looks whether the folder is still the one that was opened, and makes it anew when somebody has removed it.
    ///
    /// What this process knows is stored there then; the copies are gone.
    ///
    /// - Returns: Whether the folder was removed since this was asked last.
    /// - Throws: `StorageError`; also when another process has made the folder anew and has its lock.
    package func hold() throws -> Bool {
        try state.withLock { state in
            try hold(&state)
            try store(&state)
            defer { state.wasRemoved = false }
            return state.wasRemoved
        }
    }

    /// The same without storing the manifest.
    ///
    /// - Returns: Whether it was made anew.
    @discardableResult
    func hold(_ state: inout State) throws -> Bool {
        let path = Self.lockPath(in: folder)
        if try SpoolDisk.isFile(state.lock, at: path) {
            // It alone may have been removed.
            if state.stored != nil, try SpoolDisk.byteCount(manifestPath) == 0 { state.stored = nil }
            return false
        }
        try SpoolDisk.makeFolder(folder)
        try SpoolDisk.makePrivate(folder)
        guard let lock = try SpoolDisk.lock(path, isPatient: false) else {
            throw StorageError(errno: EWOULDBLOCK, operation: "lock", path: path)
        }
        close(state.lock)
        state.lock = lock
        state.wasRemoved = true
        state.stored = nil
        if let left = try SpoolManifest.read(folder) {
            // Another process had the folder meanwhile, and left copies there.
            state.manifest = left.takingIn(state.manifest)
            state.stored = left
        }
        if let positions = state.positions { try storePositions(positions) }
        return true
    }

    /// Ids of files whose copies are gone or shorter than they were.
    func damaged() throws -> Set<String> {
        let damaged = try (manifest?.files ?? []).filter { try isDamaged($0) }
        guard !damaged.isEmpty else { return [] }
        // One that was read may be removed meanwhile.
        let named = Set((manifest?.files ?? []).compactMap(\.copy))
        return Set(damaged.filter { $0.copy.map(named.contains) ?? false }.map(\.id))
    }

    func isDamaged(_ file: SpooledFile) throws -> Bool {
        guard let copy = file.copy else { return false }
        return try SpoolDisk.byteCount("\(folder)/\(copy)") < file.end
    }
}

extension SpoolManifest {
    /// Takes in what another manifest holds, whose copies are gone, under ids and names of its own.
    fileprivate func takingIn(_ other: SpoolManifest?) -> SpoolManifest {
        var changed = self
        for file in other?.files ?? [] {
            var file = file
            file.id = "spool-\(changed.next)"
            if file.copy != nil { file.copy = "copy-\(changed.next)" }
            changed.next += 1
            changed.files.append(file)
        }
        changed.isOpen = isOpen || other?.isOpen ?? false
        return changed
    }
}
