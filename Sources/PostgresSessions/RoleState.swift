/// Who a session acts as, beside the user who logged in.
///
/// Names are numbers of `RoleNames`; 0 stands for none.
/// SET LOCAL lasts until the transaction ends; SET SESSION AUTHORIZATION takes SET ROLE back (seen on PostgreSQL 15).
struct RoleState: Hashable {
    /// SET SESSION AUTHORIZATION.
    var authorization: Int32 = 0
    /// SET ROLE.
    var role: Int32 = 0
    /// SET LOCAL SESSION AUTHORIZATION; negative for none.
    var localAuthorization: Int32 = -1
    /// SET LOCAL ROLE; negative for none.
    var localRole: Int32 = -1

    /// The role that a statement runs under; 0 for the user who logged in.
    @inline(__always) var effective: Int32 {
        let role = localRole >= 0 ? localRole : role
        if role > 0 { return role }
        return localAuthorization >= 0 ? localAuthorization : authorization
    }

    /// Takes back what was set for the transaction only.
    @inline(__always)
    mutating func endTransaction() {
        localRole = -1
        localAuthorization = -1
    }

    /// Carries out SET ROLE; 0 for NONE and DEFAULT.
    mutating func setRole(_ name: Int32, isLocal: Bool) {
        if isLocal {
            localRole = name
        } else {
            role = name
            localRole = -1
        }
    }

    /// Carries out SET SESSION AUTHORIZATION; 0 for DEFAULT.
    mutating func setAuthorization(_ name: Int32, isLocal: Bool) {
        if isLocal {
            localAuthorization = name
            localRole = 0
        } else {
            self = RoleState()
            authorization = name
        }
    }
}

/// Names of roles, each kept once under a number from 1 on.
struct RoleNames {
    private var names: [String] = []
    private var numbers: [String: Int32] = [:]

    /// The number of a name, made when it is new.
    mutating func number(of name: String) -> Int32 {
        if let number = numbers[name] { return number }
        names.append(name)
        let number = Int32(names.count)
        numbers[name] = number
        return number
    }

    /// The name under a number; empty for 0.
    func name(_ number: Int32) -> String { number > 0 ? names[Int(number) - 1] : "" }
}
