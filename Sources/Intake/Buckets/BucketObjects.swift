import ObjectStorage

/// The objects of a bucket at some patterns.
///
/// A listing asks once for a thousand keys. Where the keys name days, as in `date=2026-11-21`, days that are long past are
/// leapt over, and looked at again with the first listing of each hour: it then costs about one request for each folder that
/// holds days, however many objects there are.
package final class BucketObjects: ObjectPlace {
    /// What is leapt over.
    package struct Window: Sendable {
        /// How often all days are listed.
        package var wholeInterval: Duration
        /// The first day that each listing looks at, as `2026-11-21`, at a time in nanoseconds since 1970-01-01 UTC.
        package var firstDay: @Sendable (Int64) -> String

        /// Creates a window.
        package init(
            wholeInterval: Duration = .seconds(3_600),
            firstDay: @escaping @Sendable (Int64) -> String
        ) {
            self.wholeInterval = wholeInterval
            self.firstDay = firstDay
        }
    }

    private let bucket: any Bucket
    private let patterns: [String]
    /// The same, taken apart.
    private var parsed: [KeyPattern]
    private let window: Window?
    private let clock: () -> Int64
    private let ahead: ReadAhead
    /// Listings of all days.
    private var wholeListing: Recurrence
    /// Patterns that nothing matched when all days were listed last, nor since.
    private var unmatched: Set<String> = []

    /// Names objects.
    ///
    /// - Parameters:
    ///   - bucket: Where they lie.
    ///   - patterns: URLs that begin with the bucket's.
    ///   - window: What is leapt over; nil for nothing.
    ///   - clock: In nanoseconds since 1970-01-01 UTC; says which days are long past.
    ///   - uptime: In nanoseconds, by a clock that nobody sets; says when all days are listed.
    package init(
        _ bucket: any Bucket,
        patterns: [String],
        window: Window? = nil,
        clock: @escaping () -> Int64 = TailedFiles.kernelClock,
        uptime: @escaping () -> Int64 = Uptime.nanoseconds
    ) {
        self.bucket = bucket
        self.patterns = patterns.flatMap(FilePattern.texts(of:))
        parsed = self.patterns.map { KeyPattern($0, bucket: bucket.url) }
        self.window = window
        self.clock = clock
        wholeListing = Recurrence(every: window?.wholeInterval ?? .zero, uptime: uptime)
        ahead = ReadAhead(bucket)
    }

    package func means(_ url: String) -> Bool { key(of: url).map { !patterns(meaning: $0).isEmpty } ?? false }

    package func list(_ body: (ListedObject) throws -> Void) throws -> ListingReport {
        let firstDay = wholeListing.isDue ? nil : window?.firstDay(clock())
        var report = ListingReport()
        for text in patterns {
            var pattern = KeyPattern(text, bucket: bucket.url)
            if try list(&pattern, from: firstDay, body) {
                unmatched.remove(text)
            } else if firstDay == nil {
                unmatched.insert(text)
            }
            if unmatched.contains(text) { report.remarks.append(.nothingMatches(pattern: text)) }
        }
        if let firstDay {
            report.isLeaptOver = { key in Self.day(in: key).map { key[$0...].prefix(10) < firstDay } ?? false
            }
        } else {
            wholeListing.note()
        }
        return report
    }

    /// Lists the objects of a pattern; whether there were any.
    private func list(
        _ pattern: inout KeyPattern,
        from firstDay: String?,
        _ body: (ListedObject) throws -> Void
    ) throws -> Bool {
        var hasObjects = false
        var behind = ""
        while true {
            /// The key behind which the days begin that are wanted.
            var leap: String?
            try bucket.list(prefix: pattern.prefix, behind: behind) { objects in
                for object in objects {
                    if let target = leap {
                        // Text that looks alike has an order of its own.
                        guard target.utf8.lexicographicallyPrecedes(object.key.utf8) else { continue }
                        leap = nil
                    }
                    if let firstDay, let day = Self.day(in: object.key),
                        object.key[day...].prefix(10) < firstDay
                    {
                        leap = object.key[..<day] + firstDay
                        continue
                    }
                    guard object.byteCount > 0, pattern.means(object.key) else { continue }
                    hasObjects = true
                    try give(object, body)
                }
                // The rest of the page is past as well: the next one begins where the wanted days do.
                return leap == nil
            }
            guard let target = leap else { return hasObjects }
            behind = target
        }
    }

    private static let dayMarker = Array("date=".utf8)

    /// Where the day of a folder of a key begins; nil when no folder names one.
    private static func day(in key: String) -> String.Index? {
        let bytes = key.utf8
        var start = bytes.startIndex
        while let slash = bytes[start...].firstIndex(of: UInt8(ascii: "/")) {
            let part = bytes[start..<slash]
            if part.count == dayMarker.count + 10, part.starts(with: dayMarker) {
                let day = bytes.index(start, offsetBy: dayMarker.count)
                return isDay(bytes[day..<slash]) ? day : nil
            }
            start = bytes.index(after: slash)
        }
        return nil
    }

    private static func isDay(_ text: Substring.UTF8View) -> Bool {
        text.enumerated().allSatisfy { index, byte in
            index == 4 || index == 7 ? byte == UInt8(ascii: "-") : (48...57).contains(byte)
        }
    }

    // MARK: Named objects

    /// `s3://name`.
    var bucketURL: String { bucket.url }

    private func patterns(meaning key: String) -> [String] {
        parsed.indices.filter { parsed[$0].means(key) }.map { patterns[$0] }
    }

    /// What a look at named objects came to.
    struct NamedLook {
        /// As of a listing that leaps over all others.
        var report = ListingReport()
        /// Keys of those that cannot be looked at now.
        var unanswered: [String] = []
    }

    /// Calls `body` with those of some objects that are there and have bytes; a request for each.
    ///
    /// - Parameters:
    ///   - keys: Keys of objects that are meant.
    ///   - body: Gets each object.
    /// - Returns: What cannot be looked at.
    /// - Throws: `StorageError`, and what `body` throws.
    func look(at keys: [String], _ body: (ListedObject) throws -> Void) throws -> NamedLook {
        var look = NamedLook()
        for (key, answer) in zip(keys, bucket.heads(of: keys)) {
            do {
                guard let object = try answer.get(), object.byteCount > 0 else { continue }
                unmatched.subtract(patterns(meaning: key))
                try give(object, body)
            } catch let error as StorageError where error.concernsOneFile {
                look.report.unreadable.append(error)
                look.unanswered.append(key)
            }
        }
        look.report.remarks = patterns.filter(unmatched.contains).map { .nothingMatches(pattern: $0) }
        return look
    }

    private func give(_ object: S3Object, _ body: (ListedObject) throws -> Void) throws {
        var key = "\(bucket.url)/\(object.key)"
        var version = object.etag
        try key.withUTF8 { key in
            try version.withUTF8 { version in
                let listed = ListedObject(
                    key: UnsafeRawBufferPointer(key),
                    version: UnsafeRawBufferPointer(version),
                    byteCount: object.byteCount,
                    modified: object.modified
                )
                try body(listed)
            }
        }
    }

    package func folders() throws -> [String] {
        var folders: [String] = []
        for text in patterns {
            let folder = "\(bucket.url)/\(KeyPattern(text, bucket: bucket.url).commonFolder)"
            if !folders.contains(folder) { folders.append(folder) }
        }
        return folders
    }

    package func expect(_ objects: [FoundObject]) {
        let expected = objects.compactMap { object in
            key(of: object.key).map { (key: $0, byteCount: Int(clamping: object.byteCount)) }
        }
        ahead.expect(expected)
    }

    package func open(_ key: String) throws -> (any ObjectBytes)? {
        guard let key = self.key(of: key), let start = try ahead.start(of: key) else { return nil }
        if let compression = Compression(path: key) {
            return try CompressedBucketObject(start, compression, in: bucket)
        }
        return BucketObject(start, in: bucket)
    }

    /// The key that a URL names; nil when it lies elsewhere.
    func key(of url: String) -> String? {
        let folder = "\(bucket.url)/".utf8
        guard url.utf8.starts(with: folder) else { return nil }
        return String(decoding: url.utf8.dropFirst(folder.count), as: UTF8.self)
    }
}
