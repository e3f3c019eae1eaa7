import Federation
import Glibc

/// Wall-clock seconds since 1970, for records that people read; never for deadlines.
func unixSeconds() -> UInt64 { UInt64(max(0, time(nil))) }

/// Wall-clock milliseconds since 1970, for the history of a round.
func unixMilliseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
}

/// The operating system's monotonic clock.
struct SystemClock: MonotonicClock {
    var now: MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}

/// The permission bits of a file.
func fileMode(_ path: String) throws(Fault) -> mode_t {
    var status = stat()
    guard stat(path, &status) == 0 else { throw storageFault("look at \(path)") }
    return status.st_mode & 0o777
}

/// Free space below `path` in words.
///
/// - Throws: `Fault.storage` when less than 256 MiB are left.
func freeSpace(_ path: String) throws(Fault) -> String {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw storageFault("look at \(path)") }
    let free = (UInt64(status.f_bavail) * UInt64(status.f_frsize)) >> 20
    guard free >= 256 else {
        throw Fault(
            .storage, "only \(free) MiB are free below \(path)",
            remedy: "free some space: rounds stop when the disk is full")
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
