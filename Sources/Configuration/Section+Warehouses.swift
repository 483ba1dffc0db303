import Yams

extension Section {

    /// The warehouses in file order; those with faults are left out.
    func warehouses(_ key: String) -> [WarehouseConfiguration] {
        guard let node = node(key), let pairs = Section.pairs(of: node, name: path(key), context: context)
        else { return [] }
        var names: Set<String> = []
        return pairs.compactMap { pair in
            let name = pair.key.value
            if !Identifier.isValid(name) || !names.insert(name.lowercased()).inserted {
                let message = "the warehouse name “\(name)” is taken, or not one that every engine takes"
                context.report(.invalidValue, at: pair.key.position, message, mend: Identifier.rule)
            }
            context.warehouses.append(name)
            return WarehouseConfiguration(pair.value, name: name, context: context)
        }
    }

    /// Where a pipeline's rows are loaded to; nil when absent, and with a fault when that cannot be.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - lakeTable: The table whose rows they are; nil where it has a fault of its own.
    /// - Returns: What the file says.
    func load(_ key: String, of lakeTable: String?) -> LoadConfiguration? {
        guard let node = node(key) else { return nil }
        let keys = ["warehouse", "table", "mode", "key"]
        guard let section = Section(node, name: path(key), keys: keys, context: context) else { return nil }
        let mode = section.choice("mode", default: LoadConfiguration.Mode.insert)
        let columns = section.mergeKey("key", mode)
        let warehouse = section.warehouse("warehouse")
        guard let target = section.target("table"), let warehouse, let columns else { return nil }
        if let lakeTable, let tableNode = section.node("table"),
            let other = context.claim(
                target: "\(warehouse) \(target.schema).\(target.table)".lowercased(),
                for: lakeTable
            )
        {
            section.refuse(
                tableNode,
                "\(section.path("table")) is the target of \(other), too",
                mend: "give each table of the lake a target of its own"
            )
        }
        return LoadConfiguration(
            warehouse: warehouse,
            schema: target.schema,
            table: target.table,
            mode: mode,
            key: columns
        )
    }

    private func warehouse(_ key: String) -> String? {
        guard let name = requiredText(key, example: context.warehouses.first ?? "dwh"), let node = node(key)
        else { return nil }
        guard context.warehouses.contains(name.value) else {
            let mend =
                context.warehouses.isEmpty
                ? "describe it: warehouses: {\(name): {kind: postgres, url: …}}"
                : NearestName.mend(name.value, among: context.warehouses)
            refuse(node, "\(path(key)) names “\(name)”, which is not among the warehouses", mend: mend)
            return nil
        }
        return name.value
    }

    private func mergeKey(_ key: String, _ mode: LoadConfiguration.Mode) -> [String]? {
        let names = texts(key, example: "[event_id]")?.map(\.value) ?? []
        switch mode {
        case .insert:
            guard let node = node(key) else { return [] }
            refuse(
                node,
                "\(path(key)) stands without mode: merge",
                mend: "add mode: merge, or take the key out"
            )
            return nil
        case .merge:
            if !names.isEmpty { return names }
            _ = required(key, example: "[event_id]")
            return nil
        }
    }

    /// `schema.table`, each part as it is or in double quotes, in which a dot is a letter.
    private func target(_ key: String) -> (schema: String, table: String)? {
        guard let text = requiredText(key, example: "public.audit_logs"), let node = node(key) else {
            return nil
        }
        guard let parts = Self.parts(text.value), parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
            refuse(
                node,
                "\(path(key)) “\(text)” is not schema.table",
                mend: "write schema.table, as public.audit_logs; a name with a dot in double quotes"
            )
            return nil
        }
        guard parts.allSatisfy({ $0.utf8.count <= 63 && !$0.utf8.contains(0) }),
            parts[1] != "auditlake_batches"
        else {
            let mend = "choose a name of at most 63 bytes, other than auditlake_batches"
            refuse(node, "\(path(key)) “\(text)” is too long, or reserved", mend: mend)
            return nil
        }
        return (parts[0], parts[1])
    }

    private static func parts(_ text: String) -> [String]? {
        var parts = [""]
        var isQuoted = false
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case "\"" where isQuoted && rest.first == "\"":
                parts[parts.count - 1].append("\"")
                rest.removeFirst()
            case "\"": isQuoted.toggle()
            case "." where !isQuoted: parts.append("")
            default: parts[parts.count - 1].append(character)
            }
        }
        return isQuoted ? nil : parts
    }
}

extension WarehouseConfiguration {
    private static let redshiftKeys = [
        "staging", "iam_role", "access_key_id", "secret_access_key", "session_token",
    ]

    private enum KindName: String, CaseIterable {
        case postgres
        case redshift
    }

    fileprivate init?(_ node: Node, name: String, context: ReadingContext) {
        let path = "warehouses.\(name)"
        let keys = ["kind", "url"] + Self.redshiftKeys
        guard let section = Section(node, name: path, keys: keys, context: context) else { return nil }
        _ = section.required("kind", example: "postgres")
        let example = "\"postgresql://loader:${PGPASSWORD}@host:5432/database?sslmode=verify-full\""
        let url = section.requiredText("url", example: example)
        switch section.choice("kind", default: KindName.postgres) {
        case .postgres:
            kind = .postgres
            for key in Self.redshiftKeys {
                guard let node = section.node(key) else { continue }
                section.refuse(
                    node,
                    "\(section.path(key)) is for warehouses of kind redshift",
                    mend: "take it out, or write kind: redshift"
                )
            }
        case .redshift:
            guard let redshift = RedshiftConfiguration(section) else { return nil }
            kind = .redshift(redshift)
        }
        guard let url else { return nil }
        self.name = name
        self.url = url
    }
}

extension RedshiftConfiguration {
    fileprivate init?(_ section: Section) {
        let staging = section.requiredText("staging", example: "s3://bucket/auditlake-staging")
        let (id, secret) = (section.text("access_key_id"), section.text("secret_access_key"))
        let token = section.text("session_token")
        let role = section.text("iam_role")
        switch (role, id, secret) {
        case (let role?, nil, nil): access = .role(role)
        case (nil, let id?, let secret?): access = .keys(id: id, secret: secret, sessionToken: token)
        default:
            section.context.report(
                .missingKey,
                at: section.position,
                "\(section.name) does not say how Redshift may read the staged files",
                mend:
                    "add iam_role: \"arn:aws:iam::111122223333:role/redshift-copy\", or access_key_id and secret_access_key"
            )
            return nil
        }
        guard let staging, let node = section.node("staging") else { return nil }
        guard let url = S3URL(staging.value) else {
            section.refuse(
                node,
                "\(section.path("staging")) “\(staging)” is no place in a bucket",
                mend: "write staging: s3://bucket/auditlake-staging"
            )
            return nil
        }
        bucket = url.bucket
        prefix = url.key.split(separator: "/").joined(separator: "/")
    }
}
