import ObjectStorage
import SimulatedDisk
import Testing

/// One call fails: the error surfaces, nobody sees a torn object, and nothing is left behind.
@Suite struct FailureTests {
    private static let codes: [StorageError.Code] = [
        .noSpace, .permissionDenied, .readOnly, .notFound, .exists, .wrongKind, .other(5),
    ]
    private static let bytes = Array("all of it".utf8)

    private func makeDisk() -> (disk: RecordingFileSystem, store: LocalStore) {
        let disk = RecordingFileSystem(folders: ["/lake"])
        return (disk, LocalStore(root: "/lake", fileSystem: disk))
    }

    /// Runs `body` once for every call it makes, with that call failing.
    private func failEachCall(
        of object: String,
        code: StorageError.Code,
        _ body: (LocalStore) throws -> Bool
    ) throws {
        let (whole, store) = makeDisk()
        _ = try body(store)
        for (number, call) in whole.calls.enumerated() {
            let (disk, store) = makeDisk()
            disk.fail(number, with: code)
            let result = Result { try body(store) }
            #expect(disk.files[object] ?? Self.bytes == Self.bytes, "\(call)")
            switch (call, result) {
            case (.remove, .success(let isNew)): #expect(isNew, "what cannot be removed is no failure")
            case (.link, .success(let isNew)): #expect(!isNew && code == .exists)
            case (.makeFolder, .success): #expect(code == .notFound, "a missing parent is made")
            case (_, .success): Issue.record("\(call) fails and nobody hears of it")
            case (_, .failure(let error)):
                #expect((error as? StorageError)?.code == code, "\(call)")
                #expect(call.name != "remove")
            }
            let isCleanedUp = disk.files.keys.allSatisfy { !$0.hasSuffix(".tmp") }
            #expect(isCleanedUp || call.name == "remove", "\(call) leaves \(disk.files.keys)")
        }
    }

    @Test("a failing call of putIfAbsent surfaces and leaves the object absent or whole", arguments: codes)
    func putIfAbsent(code: StorageError.Code) throws {
        try failEachCall(of: "/lake/t/log/1.json", code: code) {
            try $0.putIfAbsent("t/log/1.json", Self.bytes)
        }
    }

    @Test("a failing call of publish surfaces and takes the temporary object away", arguments: codes)
    func publish(code: StorageError.Code) throws {
        try failEachCall(of: "/lake/log/1.parquet", code: code) { store in
            let writer = try store.publisher("log/1.parquet")
            do {
                try Self.bytes.withUnsafeBytes { try writer.write($0) }
                return try writer.finish()
            } catch {
                writer.abandon()
                throw error
            }
        }
    }

    @Test("a failing call of replace leaves the old object or the new one")
    func replace() throws {
        let old = Array("old".utf8)
        func replace(_ disk: RecordingFileSystem, failing number: Int?) throws -> Int {
            let store = LocalStore(root: "/lake", fileSystem: disk)
            _ = try store.putIfAbsent("hint", old)
            let start = disk.calls.count
            if let number { disk.fail(start + number, with: .noSpace) }
            try store.replace("hint", Self.bytes)
            return disk.calls.count - start
        }
        for number in 0..<(try replace(RecordingFileSystem(folders: ["/lake"]), failing: nil)) {
            let disk = RecordingFileSystem(folders: ["/lake"])
            #expect(throws: StorageError.self) { try replace(disk, failing: number) }
            #expect(disk.files == ["/lake/hint": old])
        }
    }

    @Test("the error names what was done, to which file, and why it failed")
    func description() throws {
        let (disk, store) = makeDisk()
        disk.fail(0, with: .noSpace)
        let error = #expect(throws: StorageError.self) { try store.putIfAbsent("1", Self.bytes) }
        #expect(error?.code == .noSpace)
        #expect(error?.description.contains("/lake") == true)
        #expect(error?.isRetryable == false)
        #expect(StorageError(code: .other(5), operation: "read", path: "/x").isRetryable)
    }
}
