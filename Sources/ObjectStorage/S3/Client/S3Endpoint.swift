/// The address of a bucket: which host is asked, and what stands in front of a key in the path.
package struct S3Endpoint: Hashable, Sendable {
    /// Scheme, host and port.
    package let origin: String
    /// The region that requests are signed for.
    package let region: String
    /// The bucket with a slash before it when it stands in the path, else empty.
    private let pathPrefix: String
    /// Whether the region follows from the settings alone, so that another one may be tried.
    let canChangeRegion: Bool

    /// Finds the address.
    ///
    /// - Throws: `S3Error` with code `invalidSettings`.
    package init(_ settings: S3Settings) throws {
        let base = try Base(settings.endpoint, bucket: settings.bucket)
        if settings.bucket.hasPrefix("arn:") {
            let point = try AccessPoint(settings.bucket)
            guard !settings.pathStyle else { throw Self.pathStyleRefused(settings.bucket) }
            let host = base?.host ?? "s3-accesspoint.\(point.region).\(Self.suffix(point.region))"
            origin = "\(base?.scheme ?? "https")://\(point.name)-\(point.account).\(host)"
            region = point.region
            pathPrefix = ""
            canChangeRegion = false
            return
        }
        try Self.checkName(settings.bucket)
        let host = base?.host ?? "s3.\(settings.region).\(Self.suffix(settings.region))"
        let scheme = base?.scheme ?? "https"
        // A certificate for *.host does not cover a name with dots, and an address has no names below it.
        let mustStandInPath = base?.isAddress == true || scheme == "https" && settings.bucket.contains(".")
        if settings.bucket.hasSuffix("-s3alias"), settings.pathStyle {
            throw Self.pathStyleRefused(settings.bucket)
        }
        let isInPath = settings.pathStyle || mustStandInPath
        origin = isInPath ? "\(scheme)://\(host)" : "\(scheme)://\(settings.bucket).\(host)"
        region = settings.region
        pathPrefix = isInPath ? "/\(settings.bucket)" : ""
        canChangeRegion = true
    }

    /// The region of an access point's ARN; nil for other names of buckets.
    package static func region(ofAccessPoint bucket: String) -> String? {
        bucket.hasPrefix("arn:") ? (try? AccessPoint(bucket))?.region : nil
    }

    /// The path of a key, percent-encoded; without a key that of the bucket.
    package func path(_ key: String? = nil) -> String {
        guard let key else { return pathPrefix.isEmpty ? "/" : pathPrefix }
        return "\(pathPrefix)/\(PercentEncoding.encodePath(key))"
    }

    /// The suffix of host names in a region's partition.
    static func suffix(_ region: String) -> String {
        region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    }

    /// 3 to 63 bytes of letters, digits, dots, hyphens and (in old buckets and other products) underscores.
    private static func checkName(_ bucket: String) throws {
        let isName = bucket.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isName, (3...255).contains(bucket.utf8.count) else {
            throw S3Error(
                .invalidSettings,
                "use the bucket",
                bucket,
                message: "it is no bucket's name, access point's ARN or alias"
            )
        }
    }

    private static func pathStyleRefused(_ bucket: String) -> S3Error {
        S3Error(
            .invalidSettings,
            "use the access point",
            bucket,
            message: "access points are reached by host names only; take path_style away"
        )
    }

    /// An endpoint of the settings, taken apart.
    private struct Base {
        var scheme: String
        /// With the port.
        var host: String

        /// nil for AWS itself.
        init?(_ endpoint: String?, bucket: String) throws {
            guard let endpoint else { return nil }
            let text = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
            guard let scheme = ["https", "http"].first(where: { text.hasPrefix("\($0)://") }) else {
                throw Self.invalid(endpoint)
            }
            let host = String(text.dropFirst(scheme.utf8.count + 3))
            guard !host.isEmpty, !host.contains(where: { "/?#@ ".contains($0) }) else {
                throw Self.invalid(endpoint)
            }
            self.scheme = scheme
            self.host = host
        }

        /// Whether the host is an IP address, which has no names below it.
        var isAddress: Bool {
            if host.hasPrefix("[") { return true }
            let name = host.split(separator: ":").first ?? ""
            return name.allSatisfy { $0.isNumber || $0 == "." }
        }

        private static func invalid(_ endpoint: String) -> S3Error {
            S3Error(
                .invalidSettings,
                "use the endpoint",
                endpoint,
                message: "it is not of the form https://host or http://host:port"
            )
        }
    }

    /// `arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`.
    private struct AccessPoint {
        var region: String
        var account: String
        var name: String

        init(_ arn: String) throws {
            let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
            let resource = parts.count == 6 ? parts[5].split { $0 == "/" || $0 == ":" } : []
            guard parts.count == 6, parts[2] == "s3", resource.count == 2, resource[0] == "accesspoint",
                Self.isLabel(parts[4]), Self.isLabel(resource[1]), parts[3].isEmpty || Self.isLabel(parts[3])
            else {
                throw S3Error(
                    .invalidSettings,
                    "use the bucket",
                    arn,
                    message: "it is not of the form arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME"
                )
            }
            guard !parts[3].isEmpty else {
                throw S3Error(
                    .invalidSettings,
                    "use the access point",
                    arn,
                    message: "access points of several regions are not supported; take that of one region"
                )
            }
            region = String(parts[3])
            account = String(parts[4])
            name = String(resource[1])
        }

        /// What may be a part of a host's name.
        private static func isLabel(_ text: Substring) -> Bool {
            !text.isEmpty && text.utf8.count <= 63
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
    }
}
