extension S3Client {
    /// Lists objects, a page at a time, in order of their keys' UTF-8 bytes.
    ///
    /// - Parameters:
    ///   - prefix: What the keys begin with.
    ///   - delimiter: Keys that have it behind the prefix are told once, up to it.
    ///   - startAfter: Only keys behind this one.
    ///   - pageSize: The most entries of a page; the service gives no more than 1000.
    ///   - body: Gets each page; to end the listing early it throws.
    /// - Throws: `S3Error`, and what `body` throws.
    package func list(
        prefix: String,
        delimiter: String? = nil,
        startAfter: String? = nil,
        pageSize: Int = 1000,
        _ body: (S3ListPage) throws -> Void
    ) throws {
        var query: [WebRequest.QueryItem] = [.init("max-keys", String(pageSize))]
        if let delimiter { query.append(.init("delimiter", delimiter)) }
        var token: String?
        repeat {
            var pageQuery = query
            if let token {
                pageQuery.append(.init("continuation-token", token))
            } else if let startAfter {
                pageQuery.append(.init("start-after", startAfter))
            }
            let (page, next) = try fetchPage(prefix, pageQuery)
            try body(page)
            // A listing that leads back to its page would go on for ever.
            if next != nil, next == token { throw invalidListing(prefix) }
            token = next
        } while token != nil
    }

    /// Whether any object's key begins so.
    ///
    /// - Throws: `S3Error`.
    package func hasObjects(prefix: String) throws -> Bool {
        let (page, _) = try fetchPage(prefix, [.init("max-keys", "1")])
        return !page.objects.isEmpty
    }

    private func fetchPage(
        _ prefix: String,
        _ query: [WebRequest.QueryItem]
    ) throws -> (page: S3ListPage, next: String?) {
        var request = S3Request(operation: "list", method: .GET)
        request.query =
            query + [.init("list-type", "2"), .init("encoding-type", "url"), .init("prefix", prefix)]
        let response = try send(request).response
        guard let result = try? XMLTree(parsing: response.body), result.name == "ListBucketResult",
            let page = S3ListPage(result)
        else { throw invalidListing(prefix) }
        guard result.text("IsTruncated") == "true" else { return (page, nil) }
        guard let next = result.text("NextContinuationToken"), !next.isEmpty else {
            throw invalidListing(prefix)
        }
        return (page, next)
    }

    private func invalidListing(_ prefix: String) -> S3Error {
        S3Error(.invalidAnswer, "list", path(prefix), message: "the answer is no page of a listing")
    }
}

extension S3ListPage {
    /// Reads a page; nil when an entry lacks what each has, or a key cannot be decoded.
    init?(_ result: XMLTree) {
        let isEncoded = result.text("EncodingType") == "url"
        func key(_ text: String?) -> String? {
            text.flatMap { isEncoded ? PercentEncoding.decodeKey($0) : $0 }
        }
        objects = []
        commonPrefixes = []
        for entry in result.children {
            switch entry.name {
            case "Contents":
                guard let key = key(entry.text("Key")), let size = entry.text("Size").flatMap({ UInt64($0) }),
                    let modified = entry.text("LastModified").flatMap({ UTCTime.microseconds(iso8601: $0) })
                else { return nil }
                let etag = S3Object.unquoted(entry.text("ETag") ?? "")
                objects.append(S3Object(key: key, byteCount: size, etag: etag, modified: modified))
            case "CommonPrefixes":
                guard let prefix = key(entry.text("Prefix")) else { return nil }
                commonPrefixes.append(prefix)
            default: continue
            }
        }
    }
}
