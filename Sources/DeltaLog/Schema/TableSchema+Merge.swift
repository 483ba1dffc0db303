extension TableSchema {
    /// The smallest schema that describes rows of both schemas.
    ///
    /// Fields of this schema keep their place, name, type and metadata; fields that only `other` has come
    /// after them in its order, also inside structs, arrays and maps. A field is nullable when either side
    /// says so or does not have it: rows of that side hold null there. Merging a schema with itself gives
    /// that schema.
    ///
    /// - Parameter other: The schema of the rows to be added.
    /// - Returns: The merged schema; equal to this one when `other` brings nothing new.
    /// - Throws: `DeltaLogError` with `columnTypeChange`, or with `columnNameClash` when two fields of a
    ///   struct differ only in case or normalization ("All column names must be unique regardless of
    ///   casing"); its `column` is the path of the field.
    /// - Complexity: O(number of fields).
    package func merged(with other: TableSchema) throws(DeltaLogError) -> TableSchema {
        try merged(with: other, path: [])
    }

    fileprivate func merged(with other: TableSchema, path: [String]) throws(DeltaLogError) -> TableSchema {
        let places = try places(path: path)
        let otherPlaces = try other.places(path: path)
        var result = self
        for field in other.fields {
            let fieldPath = path + [field.name]
            guard let place = places[field.name.lowercased()] else {
                var added = field
                added.nullable = true
                result.fields.append(added)
                continue
            }
            try requireSameName(fields[place].name, field.name, path: fieldPath)
            result.fields[place].type = try fields[place].type.merged(with: field.type, path: fieldPath)
            result.fields[place].nullable = fields[place].nullable || field.nullable
        }
        for index in fields.indices where otherPlaces[fields[index].name.lowercased()] == nil {
            result.fields[index].nullable = true
        }
        return result
    }

    /// Places of the fields by lower-case name; a `String` as key is compared without regard to
    /// normalization.
    private func places(path: [String]) throws(DeltaLogError) -> [String: Int] {
        var places: [String: Int] = [:]
        places.reserveCapacity(fields.count)
        for (index, field) in fields.enumerated() {
            guard let twin = places.updateValue(index, forKey: field.name.lowercased()) else { continue }
            throw clash(fields[twin].name, field.name, path: path + [field.name])
        }
        return places
    }

    private func requireSameName(_ left: String, _ right: String, path: [String]) throws(DeltaLogError) {
        guard left.utf8.elementsEqual(right.utf8) else { throw clash(left, right, path: path) }
    }

    private func clash(_ left: String, _ right: String, path: [String]) -> DeltaLogError {
        DeltaLogError(
            .columnNameClash,
            "columns '\(left)' and '\(right)' differ at most in case or Unicode normalization; rename one",
            column: path
        )
    }
}

extension DataType {
    fileprivate func merged(with other: DataType, path: [String]) throws(DeltaLogError) -> DataType {
        switch (self, other) {
        case (.structure(let left), .structure(let right)):
            return .structure(try left.merged(with: right, path: path))
        case (.array(let left, let leftNull), .array(let right, let rightNull)):
            return .array(
                element: try left.merged(with: right, path: path + ["element"]),
                containsNull: leftNull || rightNull
            )
        case (.map(let leftKey, let left, let leftNull), .map(let rightKey, let right, let rightNull)):
            return .map(
                key: try leftKey.merged(with: rightKey, path: path + ["key"]),
                value: try left.merged(with: right, path: path + ["value"]),
                valueContainsNull: leftNull || rightNull
            )
        default:
            guard self == other else {
                throw DeltaLogError(
                    .columnTypeChange,
                    "the table has type \(self), the new rows have \(other); a column keeps its type, "
                        + "write the rows under another column name",
                    column: path
                )
            }
            return self
        }
    }
}
