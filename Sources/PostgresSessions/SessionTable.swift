/// The sessions by their keys: an open-addressed table over an array whose places stay as long as their sessions.
struct SessionTable {
    private struct Slot {
        var key: UInt64
        /// Place in `sessions` plus one; 0 for a free slot.
        var place: Int32
    }

    private var slots = [Slot](repeating: Slot(key: 0, place: 0), count: 64)
    private var free: [Int32] = []
    /// By place; those of removed sessions are meaningless.
    var sessions: [Session] = []
    /// The number of sessions.
    private(set) var count = 0
    private var newestKey: UInt64 = 0
    private var newestPlace = -1

    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 32) & (slots.count &- 1)
    }

    /// The place of a session, negative when there is none.
    @inline(__always)
    mutating func find(_ key: UInt64) -> Int {
        if key == newestKey, newestPlace >= 0 { return newestPlace }
        var at = slot(of: key)
        while slots[at].place != 0 {
            if slots[at].key == key {
                newestKey = key
                newestPlace = Int(slots[at].place) &- 1
                return newestPlace
            }
            at = (at &+ 1) & (slots.count &- 1)
        }
        return -1
    }

    /// Adds a session that is not there; returns its place.
    mutating func insert(_ session: Session) -> Int {
        if (count + 1) * 2 > slots.count { grow() }
        let place: Int
        if let reused = free.popLast() {
            place = Int(reused)
            sessions[place] = session
        } else {
            place = sessions.count
            sessions.append(session)
        }
        enter(Slot(key: session.key, place: Int32(place + 1)))
        count += 1
        return place
    }

    private mutating func enter(_ new: Slot) {
        var at = slot(of: new.key)
        while slots[at].place != 0 { at = (at + 1) & (slots.count - 1) }
        slots[at] = new
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(key: 0, place: 0), count: old.count * 2)
        for slot in old where slot.place != 0 { enter(slot) }
    }

    /// Removes the session at a place.
    mutating func remove(at place: Int) {
        newestPlace = -1
        let key = sessions[place].key
        var hole = slot(of: key)
        while slots[hole].key != key || slots[hole].place == 0 { hole = (hole + 1) & (slots.count - 1) }
        // Slots behind the hole move up unless that would take them in front of where they belong.
        var at = hole
        while true {
            at = (at + 1) & (slots.count - 1)
            guard slots[at].place != 0 else { break }
            let home = slot(of: slots[at].key)
            if (at - home) & (slots.count - 1) >= (at - hole) & (slots.count - 1) {
                slots[hole] = slots[at]
                hole = at
            }
        }
        slots[hole] = Slot(key: 0, place: 0)
        sessions[place] = Session(key: 0)
        free.append(Int32(place))
        count -= 1
    }

    /// The places of all sessions, in no order that may matter.
    var places: [Int] { slots.compactMap { $0.place == 0 ? nil : Int($0.place) - 1 } }
}
