extension CustomerCSVSettings {
    /// What tells the key of hashes from others without giving it away: 32 hexadecimal digits of an HMAC of a fixed text; nil
    /// for no key.
    package var maskKeyFingerprint: String? {
        guard !masks.isEmpty, let maskKey else { return nil }
        let id = "auditlake mask_key".utf8.withContiguousStorageIfAvailable { text in
            KeyedHash(key: maskKey)(UnsafeRawBufferPointer(text))
        }
        return id.map { id in
            String(unsafeUninitializedCapacity: EventID.hexByteCount) { room in
                guard let start = room.baseAddress else { return 0 }
                id.writeHex(to: start)
                return EventID.hexByteCount
            }
        }
    }
}
