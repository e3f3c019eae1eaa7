import Glibc

/// What the kernel tells of this process, under the names that every Prometheus client uses for it.
package enum ProcessMetrics {
    /// - Parameter role: which program it is: `coordinator`, `agent`.
    package static func families(role: String, version: String) -> [MetricFamily] {
        var build = MetricFamily(
            .gauge, "tributary_build_info", "Which program and version this is; always 1.")
        build.add(1, [("role", role), ("version", version)])
        return [build] + usage(of: fields()) + files() + logged()
    }

    /// The fields of /proc/self/stat after the name, which may hold anything; the first is the process's state, the third of
    /// proc(5).
    private static func fields() -> [Substring] {
        contents("/proc/self/stat").split(separator: ")").last?.split(separator: " ") ?? []
    }

    private static func usage(of fields: [Substring]) -> [MetricFamily] {
        /// By the number that proc(5) gives the field.
        func field(_ number: Int) -> Double? {
            let index = number - 3
            return fields.indices.contains(index) ? Double(fields[index]) : nil
        }
        guard let user = field(14), let system = field(15), let start = field(22),
            let virtual = field(23), let pages = field(24)
        else { return [] }
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        var cpu = MetricFamily(
            .counter, "process_cpu_seconds_total", "Processor time, of the system's code too.")
        cpu.add((user + system) / ticks)
        return [
            cpu,
            .gauge(
                "process_resident_memory_bytes", "Memory that is resident.",
                pages * Double(sysconf(Int32(_SC_PAGESIZE)))),
            .gauge("process_virtual_memory_bytes", "Address space.", virtual),
            .gauge(
                "process_start_time_seconds", "When the process started, Unix time.",
                bootUnix() + start / ticks),
        ]
    }

    /// When the machine started, by its clocks now.
    private static func bootUnix() -> Double {
        var wall = timespec()
        var boot = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_BOOTTIME, &boot)
        return Double(wall.tv_sec - boot.tv_sec) + Double(wall.tv_nsec - boot.tv_nsec) / 1e9
    }

    private static func files() -> [MetricFamily] {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return [] }
        return [
            .gauge("process_open_fds", "Files that are open.", Double(openFiles())),
            .gauge("process_max_fds", "Files that may be open.", Double(limit.rlim_cur)),
        ]
    }

    private static func openFiles() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without the two names of every folder, and the folder itself.
        return max(0, count - 3)
    }

    private static func logged() -> [MetricFamily] {
        [
            .counter(
                "tributary_log_messages_total", "Lines written to the log, by level.", by: "level",
                LogCounts.byLevel)
        ]
    }

    private static func contents(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }
}
