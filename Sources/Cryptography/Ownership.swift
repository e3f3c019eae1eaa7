package import Federation
import Glibc

/// Whose a file is that root makes. A service's state directory belongs to the service's user; what an administrator adds
/// to it, with a command run as root, is of no use to the service unless it belongs to that user too.
package enum Ownership {
    /// Gives the file or directory `path`, just made and open as `descriptor`, to the owner of the directory that it is in.
    /// Only root can, and only where another user owns that directory; otherwise nothing changes.
    package static func inherit(_ descriptor: Int32, _ path: String) {
        guard geteuid() == 0 else { return }
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        var above = stat()
        guard stat(parent, &above) == 0, above.st_uid != 0 else { return }
        fchown(descriptor, above.st_uid, above.st_gid)
    }

    /// The same of the directory `path`, just made.
    package static func inherit(directory path: String) {
        guard geteuid() == 0 else { return }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        inherit(descriptor, path)
    }

    /// Sees that this user may look into the directory `path`: what is hidden is not missing.
    ///
    /// - Throws: `Fault.storage` when the user may not.
    package static func checkAccess(to path: String) throws(Fault) {
        guard access(path, X_OK) != 0, errno == EACCES else { return }
        throw Fault(
            .storage, "\(path): permission denied",
            remedy: "run it with sudo, or as the user that the directory belongs to")
    }

    /// Has this process, if it is root's, act as the user that the directory `path` belongs to: then it can read what that
    /// user can, and what it writes that user can use. Where there is no directory yet, nothing changes.
    ///
    /// - Throws: `Fault.forbidden` when it cannot.
    package static func actAsOwner(of path: String) throws(Fault) {
        var status = stat()
        guard geteuid() == 0, stat(path, &status) == 0, status.st_uid != 0 else { return }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 16 << 10)
        getpwuid_r(status.st_uid, &entry, &text, text.count, &found)
        // Data may be readable through a group of the user's.
        let hasGroups =
            found == nil
            ? setgroups(0, nil) == 0 : initgroups(entry.pw_name, entry.pw_gid) == 0
        guard hasGroups, setgid(status.st_gid) == 0, setuid(status.st_uid) == 0 else {
            throw Fault(
                .forbidden, "cannot act as the owner of \(path): \(systemError(errno))",
                remedy: "run this as that user")
        }
    }
}
