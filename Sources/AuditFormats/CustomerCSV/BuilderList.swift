/// Builders side by side, made when they are first needed.
struct BuilderList<Builder: ~Copyable>: ~Copyable {
    private var builders: UnsafeMutablePointer<Builder>
    private var capacity = 0
    private(set) var count = 0

    init() { builders = .allocate(capacity: 0) }

    deinit {
        builders.deinitialize(count: count)
        builders.deallocate()
    }

    subscript(index: Int) -> Builder {
        _read { yield builders[index] }
        _modify { yield &builders[index] }
    }

    /// Adds a builder behind the others.
    mutating func append(_ builder: consuming Builder) {
        if count == capacity {
            capacity = max(capacity * 2, 8)
            let larger = UnsafeMutablePointer<Builder>.allocate(capacity: capacity)
            larger.moveInitialize(from: builders, count: count)
            builders.deallocate()
            builders = larger
        }
        (builders + count).initialize(to: builder)
        count += 1
    }
}
