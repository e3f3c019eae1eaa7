package import Federation
import Glibc

/// Files that are written again and again.
///
/// Whenever a file system gives blocks back, as for a file that loses its name to a newer one, everybody who waits for the
/// disk waits for that too, many times as long as for the rest where the disk is told of it (`discard`). So here the older
/// file changes names with the newer one, in one step, and stays beside it as the spare over which the next is written.
///
/// A spare is never read, and one that somebody still reads under its former name is not written over. Where the file system
/// lacks what this needs, a file is replaced as everywhere else.
package enum RewrittenFile {
    /// Where the next contents of `path` are written.
    package static func spare(of path: String) -> String { path + ".spare" }

    /// Writes a file in place of the one of that name, if any; a crash leaves either the old or the new one.
    ///
    /// - Parameters:
    ///   - durability: with `contents`, a name that it replaced must be made durable before the next.
    ///   - spare: in the same file system; nil: the one beside the file.
    /// - Throws: `Fault.storage`.
    package static func replace(
        _ path: String, _ bytes: [UInt8], mode: UInt32,
        durability: CredentialFile.Durability = .full, spare: String? = nil
    ) throws(Fault) {
        let spare = spare ?? self.spare(of: path)
        let isSynchronised = durability != .none
        if let file = takeUp(spare, mode) {
            try CredentialFile.finish(
                file, spare, bytes, isSynchronised ? .contents : .nothing)
        } else {
            unlink(spare)
            try CredentialFile.create(spare, bytes, mode: mode, isSynchronised: isSynchronised)
        }
        guard exchange(spare, path) || rename(spare, path) == 0 else {
            let fault = CredentialFile.storageFault("cannot write", path)
            unlink(spare)
            throw fault
        }
        if durability == .full { try CredentialFile.synchroniseDirectory(of: path) }
    }

    /// Takes a file's name, and keeps the file as a spare. One that others have under another name, or that is large, is not
    /// kept.
    ///
    /// - Parameter erasing: whether nothing of what is in it may stay.
    package static func remove(_ path: String, spare: String? = nil, erasing: Bool) {
        let spare = spare ?? self.spare(of: path)
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_nlink == 1, status.st_size <= largestSpare, rename(path, spare) == 0 else {
            unlink(path)
            return
        }
        guard erasing else { return }
        let zeros = [UInt8](repeating: 0, count: Int(status.st_size))
        let isErased = takeUp(spare, CredentialFile.publicMode).map { file in
            (try? CredentialFile.finish(file, spare, zeros, .nothing)) != nil
        }
        if isErased != true { unlink(spare) }
    }

    /// The largest file that is kept, in bytes: the room of larger ones is worth more than the time.
    package static let largestSpare = 1 << 18

    /// Opens a spare to write over it; nil where there is none that may be.
    private static func takeUp(_ spare: String, _ mode: UInt32) -> Int32? {
        let file = open(spare, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        var status = stat()
        let isUsable =
            fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && status.st_nlink == 1 && status.st_mode & 0o777 & ~mode == 0 && isAlone(file)
        guard isUsable else {
            close(file)
            return nil
        }
        return file
    }

    /// Whether nobody else has the file open, to read it or mapped into memory; whoever opens it from now on waits until it is
    /// closed.
    private static func isAlone(_ file: Int32) -> Bool {
        // Who is kept waiting makes a signal for this process, which by default would end it.
        fcntl(file, setSignal, SIGURG) == 0 && fcntl(file, setLease, CInt(F_WRLCK)) == 0
    }

    /// Has two files change names in one step; false where it cannot be done, or one is missing.
    private static func exchange(_ first: String, _ second: String) -> Bool {
        renameat2?(AT_FDCWD, first, AT_FDCWD, second, exchangeFlag) == 0
    }

    // What Swift's Glibc leaves out of fcntl.h and stdio.h.
    private static let setSignal: CInt = 10
    private static let setLease: CInt = 1024
    private static let exchangeFlag: CUnsignedInt = 2
    private typealias Rename =
        @convention(c) (CInt, UnsafePointer<CChar>, CInt, UnsafePointer<CChar>, CUnsignedInt) ->
        CInt
    private static let renameat2 = dlsym(nil, "renameat2").map {
        unsafeBitCast($0, to: Rename.self)
    }
}
