package import Federation
import Glibc

/// Wall-clock seconds since 1970, for records that people read; never for deadlines.
func unixSeconds() -> UInt64 { UInt64(max(0, time(nil))) }

/// The operating system's clocks.
package struct SystemClock: ServiceClock {
    package init() {}

    package var now: MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package var unixMilliseconds: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }

    package func pause(seconds: Double) async {
        try? await Task.sleep(for: .seconds(max(0, seconds)))
    }
}

/// Names this run of the machine: another one's monotonic clock began elsewhere.
func systemBootID() -> String {
    guard let file = fopen("/proc/sys/kernel/random/boot_id", "r") else { return unknownBoot() }
    defer { fclose(file) }
    var text = [UInt8](repeating: 0, count: 64)
    let count = fread(&text, 1, text.count, file)
    let name = String(decoding: text[..<count], as: UTF8.self).filter { !$0.isWhitespace }
    return name.isEmpty ? unknownBoot() : name
}

/// Where the kernel does not say, every start counts as another boot.
private func unknownBoot() -> String {
    "unknown since \(SystemClock().now.nanoseconds) \(getpid())"
}

/// The permission bits of a file.
func fileMode(_ path: String) throws(Fault) -> mode_t {
    var status = stat()
    guard stat(path, &status) == 0 else { throw storageFault("look at \(path)") }
    return status.st_mode & 0o777
}

/// Free space below `path` in words.
///
/// - Throws: `Fault.storage` when fewer than `least` MiB are left, or nothing can be written there.
func freeSpace(_ path: String, least: Int) throws(Fault) -> String {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw storageFault("look at \(path)") }
    let free = (UInt64(status.f_bavail) * UInt64(status.f_frsize)) >> 20
    guard status.f_flag & UInt(ST_RDONLY) == 0 else {
        throw Fault(
            .storage, "\(path) is on a file system that is mounted read-only",
            remedy: "mount it for writing: rounds wait until then")
    }
    guard free >= least else {
        throw Fault(
            .storage, "only \(free) MiB are free below \(path), and \(least) are to stay free",
            remedy: "free some space, or set min_free_mib in [storage]: rounds wait until then")
    }
    return "\(free) MiB free"
}

/// What the system refused, with its reason.
func storageFault(_ what: String) -> Fault {
    Fault(
        .storage, "cannot \(what): \(String(cString: strerror(errno)))",
        remedy: "check the path, its permissions and the free space")
}

/// `path` from the root, for a file that remembers it.
package func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
    defer { free(directory) }
    return String(cString: directory) + "/" + path
}
