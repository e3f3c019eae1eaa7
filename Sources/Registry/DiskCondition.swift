package import Federation
import GRDB
import Glibc

/// Whether the disk takes what a registry writes.
package enum DiskCondition: Sendable, Equatable {
    case writable
    /// There is too little room, in words.
    case full(String)
    /// The file system refuses writes or fails at them, in words.
    case refusing(String)
}

/// What a task does about a disk that refuses its command.
///
/// A type of its own: with a bare function as the task's value, what Swift 6.3's optimiser makes crashes.
package struct Patience: Sendable {
    let mayRetry: @Sendable (Fault) async -> Bool

    package init(_ mayRetry: @escaping @Sendable (Fault) async -> Bool) {
        self.mayRetry = mayRetry
    }
}

extension Registry {
    /// Asked when a command of this task was refused by the disk, which changed nothing; true: give it again. Without one,
    /// the command's caller gets the fault at once.
    @TaskLocal package static var patience: Patience?

    /// Looks at the disk, and tries it with a small write, or with one as large as the largest blob it refused since it
    /// last took one.
    ///
    /// - Parameters:
    ///   - leastFree: bytes that must be free for it to count as writable.
    ///   - trying: false only looks.
    package func diskCondition(leastFree: UInt64, trying: Bool) async -> DiskCondition {
        let size = max(Self.smallestTrial, refusals.largest)
        do throws(Fault) {
            let found = try await onDisk("look at the disk") { () throws(Fault) in
                self.blobs.condition(leastFree: leastFree, trialBytes: trying ? size : 0)
            }
            guard found == .writable, trying else { return found }
            // What SQLite needs is tried as well: the same row, written once more.
            try await writeOnce("try the disk") { db in
                try db.execute(sql: "UPDATE checkpoint SET only = only")
            }
            refusals.forget()
            return .writable
        } catch {
            return .refusing(error.message)
        }
    }

    /// Has `handler` called with every fault that says that the disk refused a write.
    package func onRefusedWrite(_ handler: @escaping @Sendable (Fault) -> Void) {
        refusals.setHandler(handler)
    }

    /// Whether to give a command again that failed with `fault`.
    ///
    /// - Parameter bytes: of the blob that was to be stored.
    func mayRetry(after fault: Fault, bytes: Int = 0) async -> Bool {
        guard fault.code == .storage else { return false }
        refusals.note(fault, bytes: bytes)
        guard let patience = Self.patience else { return false }
        return await patience.mayRetry(fault)
    }

    private static let smallestTrial = 64 << 10
}

extension BlobStore {
    func condition(leastFree: UInt64, trialBytes: Int) -> DiskCondition {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return .refusing(words(errno)) }
        guard status.f_flag & UInt(ST_RDONLY) == 0 else {
            return .refusing("the file system is mounted read-only")
        }
        let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        guard free >= leastFree else {
            return .full("\(free >> 20) MiB are free, and \(leastFree >> 20) are to stay free")
        }
        guard trialBytes > 0 else { return .writable }
        let name = "\(directory)/tmp-trial-\(getpid())"
        defer { unlink(name) }
        let cause = writeTrial(name, bytes: trialBytes)
        switch cause {
        case 0: return .writable
        case ENOSPC, EDQUOT:
            return .full("\(words(cause)) for \(trialBytes) bytes; \(free >> 20) MiB are free")
        default: return .refusing(words(cause))
        }
    }

    /// Writes and synchronises a file; returns the `errno` of what failed, or 0.
    private func writeTrial(_ name: String, bytes: Int) -> Int32 {
        let file = Glibc.open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return errno }
        defer { close(file) }
        let block = [UInt8](repeating: 0x55, count: 64 << 10)
        var left = bytes
        while left > 0 {
            let count = Glibc.write(file, block, min(left, block.count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? EIO : errno }
            left -= count
        }
        return fsync(file) == 0 ? 0 : errno
    }
}

private func words(_ cause: Int32) -> String { String(cString: strerror(cause)) }
