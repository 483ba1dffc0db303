import Glibc

/// What the process uses, by the names that Prometheus' own clients give it.
struct ProcessUsage: Hashable, Sendable {
    /// Seconds of all its threads, user and system.
    var cpuSeconds: Double
    /// Memory that is in RAM, in bytes.
    var residentByteCount: Int
    /// Open descriptors.
    var openDescriptors: Int
    /// Descriptors that it may open.
    var descriptorLimit: Int

    /// Reads `/proc/self`; nil where there is none.
    static func current() -> ProcessUsage? {
        guard let stat = smallFile("/proc/self/stat"), let folder = opendir("/proc/self/fd") else {
            return nil
        }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessUsage(
            stat: stat,
            ticksPerSecond: sysconf(Int32(_SC_CLK_TCK)),
            pageByteCount: sysconf(Int32(_SC_PAGESIZE)),
            // Without `.`, `..` and the descriptor of the listing itself.
            openDescriptors: count - 3,
            descriptorLimit: Int(clamping: limit.rlim_cur)
        )
    }

    /// Reads a line of `/proc/self/stat` (proc(5)); nil for one of another form.
    init?(stat: String, ticksPerSecond: Int, pageByteCount: Int, openDescriptors: Int, descriptorLimit: Int) {
        // The program's name stands in parentheses and may hold blanks and parentheses.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let user = Int(fields[11]), let system = Int(fields[12]),
            let pages = Int(fields[21])
        else { return nil }
        cpuSeconds = Double(user + system) / Double(ticksPerSecond)
        residentByteCount = pages * pageByteCount
        self.openDescriptors = openDescriptors
        self.descriptorLimit = descriptorLimit
    }

    private static func smallFile(_ path: String) -> String? {
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { return nil }
        defer { close(handle) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(handle, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}

extension Exposition {
    mutating func append(_ usage: ProcessUsage) {
        func sample(_ value: Double) -> [Sample] { [Sample(labels: [], value: value)] }
        append(
            "process_cpu_seconds_total",
            .counter,
            help: "User and system CPU time.",
            sample(usage.cpuSeconds)
        )
        append(
            "process_resident_memory_bytes",
            .gauge,
            help: "Memory in RAM.",
            sample(Double(usage.residentByteCount))
        )
        append("process_open_fds", .gauge, help: "Open descriptors.", sample(Double(usage.openDescriptors)))
        append(
            "process_max_fds",
            .gauge,
            help: "Descriptors that may be open.",
            sample(Double(usage.descriptorLimit))
        )
    }
}
