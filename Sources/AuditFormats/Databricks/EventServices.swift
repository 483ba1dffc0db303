import CSimdJSON
import Columnar

/// One service while it is decoded: its keys and its open row groups.
final class ServiceState {
    var keys = ParameterKeys()
    /// Folded names of the fields.
    var names = SafeName.reservedColumns
    /// The open row groups by day.
    var gold: [Int32: GoldRows] = [:]
    /// The one that was used last.
    var recent: GoldRows?

    func rows(for date: Int32) -> (rows: GoldRows, isNew: Bool) {
        if let recent, recent.date == date { return (recent, false) }
        if let known = gold[date] {
            recent = known
            return (known, false)
        }
        let made = GoldRows(date: date)
        gold[date] = made
        recent = made
        return (made, true)
    }
}

/// All services, found from the data.
struct EventServices: ~Copyable {
    private(set) var schemas: [ServiceSchema]
    private(set) var states: [ServiceState] = []
    private var indices: [String: Int] = [:]
    private var tables: Set<String> = []
    /// By entry of the pool of service names, the service; -1 while it is unknown.
    private var byEntry: [Int32] = []
    /// The service of events without one; -1 while there is none.
    private var nameless = -1
    /// Every key of every service.
    var allKeys = TextPool()

    init(_ known: [ServiceSchema]) {
        schemas = known
        for (index, schema) in known.enumerated() {
            indices[schema.service] = index
            if schema.service.isEmpty { nameless = index }
            tables.insert(SafeName.folded(schema.table))
            let state = ServiceState()
            if schema.hasPlaceholder {
                // Known from before, so it has been published.
                schemas[index].keepsPlaceholder = true
                state.names.insert(ServiceSchema.placeholder)
            }
            for key in schema.keys {
                state.names.insert(SafeName.folded(key.column))
                var text = key.key
                text.withUTF8 { state.keys.add(UnsafeRawBufferPointer($0), to: &allKeys) }
            }
            states.append(state)
        }
    }

    /// The service of an entry of the pool of service names; made when it is new.
    mutating func index(ofEntry entry: Int32, in pool: borrowing TextPool) -> Int {
        guard entry >= 0 else {
            if nameless < 0 { nameless = index(of: "") }
            return nameless
        }
        while byEntry.count <= Int(entry) { byEntry.append(-1) }
        if byEntry[Int(entry)] < 0 {
            byEntry[Int(entry)] = Int32(index(of: String(decoding: pool[entry], as: UTF8.self)))
        }
        return Int(byEntry[Int(entry)])
    }

    private mutating func index(of service: String) -> Int {
        if let known = indices[service] { return known }
        let table = SafeName.claim(SafeName.table(service), in: &tables)
        indices[service] = schemas.count
        schemas.append(ServiceSchema(service: service, table: table))
        states.append(ServiceState())
        return schemas.count - 1
    }

    /// Forgets the entries of the pool of service names.
    mutating func forgetEntries() { byEntry.removeAll(keepingCapacity: true) }

    /// Finds the keys of one event; see ``ParameterKeys/find(_:in:_:)``.
    mutating func findKeys(
        _ pairs: UnsafeBufferPointer<sj_pair>,
        of service: Int,
        _ keys: UnsafeMutablePointer<Int32>
    ) -> Bool {
        let state = states[service]
        let repeats = state.keys.find(pairs, in: &allKeys, keys)
        if state.keys.count > schemas[service].keys.count { publishKeys(of: service) }
        return repeats
    }

    /// Gives names to the keys that have none yet.
    private mutating func publishKeys(of service: Int) {
        let state = states[service]
        for key in schemas[service].keys.count..<state.keys.count {
            let text = String(decoding: state.keys[Int32(key)], as: UTF8.self)
            let column = SafeName.claim(SafeName.column(text), in: &state.names)
            schemas[service].keys.append(ServiceSchema.Key(key: text, column: column))
        }
    }

    /// The schema under which rows of a service are handed out now: without keys it has its `placeholder` for good.
    mutating func publish(_ service: Int) -> ServiceSchema {
        if schemas[service].keys.isEmpty, !schemas[service].keepsPlaceholder {
            schemas[service].keepsPlaceholder = true
            states[service].names.insert(ServiceSchema.placeholder)
        }
        return schemas[service]
    }
}
