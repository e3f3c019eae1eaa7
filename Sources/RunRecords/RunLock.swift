package import Federation
import Glibc

/// Says that a process is at work on a run; the system takes it back when the process ends, however it
/// does.
package final class RunLock {
    private let descriptor: Int32
    private let path: String

    /// - Throws: `Fault.conflict` when another process is at work, `Fault.storage` when the file cannot
    ///   be made.
    package init(_ run: RunFile) throws(Fault) {
        path = run.path + ".lock"
        // The second time for whoever only asked just now, see `isHeld`.
        var held = try RunLock.locked(path)
        if held == nil {
            usleep(50_000)
            held = try RunLock.locked(path)
        }
        guard let held else {
            throw Fault(
                .conflict, "another process is at work on run \(run.name)",
                remedy: "wait for it, or end it first")
        }
        descriptor = held
    }

    /// The file, locked; nil when another process has it.
    private static func locked(_ path: String) throws(Fault) -> Int32? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Fault(
                .storage, "cannot create \(path): \(String(cString: strerror(errno)))",
                remedy: "check its directory, or choose another with --runs")
        }
        var status = stat()
        // A file that its owner has just removed keeps nobody out.
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0,
            status.st_nlink > 0
        {
            return descriptor
        }
        close(descriptor)
        return nil
    }

    deinit {
        unlink(path)
        close(descriptor)
    }

    /// Whether some process is at work on `run`.
    package static func isHeld(_ run: RunFile) -> Bool {
        let descriptor = open(run.path + ".lock", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }
}
