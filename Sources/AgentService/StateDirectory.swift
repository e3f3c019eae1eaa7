import Cryptography
package import Federation
import Glibc

/// Where an agent keeps what must survive a restart.
package struct StateDirectory: Sendable, Equatable {
    package let path: String

    package init(path: String) { self.path = path }

    /// The device's private key, mode 0600.
    package var keyFile: String { "\(path)/agent.key" }
    /// A renewed key whose certificate is stored; it takes the key's place when that is done.
    package var nextKeyFile: String { "\(path)/agent.key.next" }
    /// The device's certificate; written last when enrolling, so its presence means enrolled.
    package var certificateFile: String { "\(path)/agent.crt" }
    package var trustSetFile: String { "\(path)/trust-set.json" }
    /// The newest checkpoint of the coordinator's log that was verified, a signed note.
    package var checkpointFile: String { "\(path)/log-checkpoint" }
    /// One line, `host:port`.
    package var coordinatorFile: String { "\(path)/coordinator" }
    /// What the daemon says about itself, for programs.
    package var statusFile: String { "\(path)/status.json" }
    /// The same for people.
    package var summaryFile: String { "\(path)/status.txt" }
    /// The assignment at hand, while there is one.
    package var assignmentFile: String { "\(path)/assignment" }
    /// The rounds taken up lately.
    package var roundsFile: String { "\(path)/rounds" }
    /// Locked by the daemon while it runs.
    var lockFile: String { "\(path)/lock" }
    package var planDirectory: String { "\(path)/plans" }
    package var blobDirectory: String { "\(path)/blobs" }
    package var modelDirectory: String { "\(path)/models" }
    package var updateDirectory: String { "\(path)/update" }
    /// What was last sent of each plan.
    package var sentDirectory: String { "\(path)/sent" }
    /// Where the device's owner tells a running daemon what to do.
    package var controlDirectory: String { "\(path)/control" }
    /// The owner's pause, while there is one.
    package var pauseFile: String { "\(controlDirectory)/pause" }
    /// There while the device is being taken out of its fleet.
    package var leaveFile: String { "\(controlDirectory)/leave" }

    private var folders: [String] {
        [path, planDirectory, blobDirectory, modelDirectory, updateDirectory, sentDirectory]
            + [controlDirectory]
    }

    /// Every file and folder of this directory that is the agent's; data that its owner keeps here too is not.
    private var ownFiles: [String] {
        [
            certificateFile, keyFile, nextKeyFile, trustSetFile, coordinatorFile, roundsFile,
            lockFile,
        ]
            + [RewrittenFile.spare(of: roundsFile)] + workFiles
    }

    /// What a daemon writes again and again, but for the rounds taken up, which count for the device whatever its fleet.
    private var workFiles: [String] {
        let files = [checkpointFile, statusFile, summaryFile, assignmentFile]
        return files + files.map(RewrittenFile.spare)
    }

    package var isEnrolled: Bool { access(certificateFile, F_OK) == 0 }

    /// Creates what is missing of the directory and its folders, for this user only, and sees that files can be created.
    ///
    /// - Throws: `Fault.storage` naming the directory.
    package func prepare() throws(Fault) {
        for directory in folders {
            try createDirectory(directory)
        }
        let probe = "\(path)/.writable"
        unlink(probe)
        try CredentialFile.create(probe, [], mode: CredentialFile.secretMode)
        unlink(probe)
    }

    /// Sees, without changing anything, that this user could work in the directory.
    ///
    /// - Throws: `Fault.notFound` or `Fault.storage` naming it.
    package func check() throws(Fault) {
        guard access(path, F_OK) == 0 else {
            throw Fault(
                .notFound, "\(path) does not exist",
                remedy: "enrol, which creates it, as the user that the agent runs as")
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            throw storageFault("cannot write in", path)
        }
    }

    /// Creates the folder for the owner's wishes where there is none.
    func prepareControl() throws(Fault) { try createDirectory(controlDirectory) }

    /// Has this process, if it is root's, act as the user that the directory belongs to, so that the daemon can use what it
    /// writes there. Where there is no directory yet, it will be root's.
    ///
    /// - Throws: `Fault.forbidden` when it cannot.
    package func actAsOwner() throws(Fault) { try Ownership.actAsOwner(of: path) }

    /// Removes what an earlier identity left, its certificate first: plans, models, blobs and updates may be another fleet's.
    /// A pause is the owner's, and stays.
    func clear() {
        unlink(certificateFile)
        for file in workFiles + [nextKeyFile, leaveFile] { unlink(file) }
        for folder in folders where folder != path && folder != controlDirectory {
            empty(folder)
        }
    }

    /// Whether there is anything of the agent's here.
    package var holdsAnything: Bool {
        (ownFiles + folders).contains { $0 != path && access($0, F_OK) == 0 }
    }

    /// Removes everything that is the agent's: identity, plans, models, blobs, updates and records. The directory stays, with
    /// whatever else is in it.
    ///
    /// - Returns: what is left in the directory.
    /// - Throws: `Fault.storage` when some of it cannot be removed.
    package func erase() throws(Fault) -> [String] {
        for file in ownFiles { unlink(file) }
        for folder in folders where folder != path {
            empty(folder)
            rmdir(folder)
        }
        guard !holdsAnything else {
            throw Fault(
                .storage, "not everything in \(path) could be erased",
                remedy: "run this as root or as the user that the agent runs as, or remove the"
                    + " directory yourself")
        }
        return names(in: path)
    }

    private func empty(_ folder: String) {
        for name in names(in: folder) {
            removeDirectory("\(folder)/\(name)")
            unlink("\(folder)/\(name)")
        }
    }
}

/// Held by the one process that works in a state directory; two daemons with one identity would fight over it.
package struct StateLock: ~Copyable {
    private let descriptor: Int32

    /// - Throws: `Fault.conflict` when another process holds it, `Fault.storage`.
    package init(_ directory: StateDirectory) throws(Fault) {
        let file = directory.lockFile
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, CredentialFile.secretMode)
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw storageFault("cannot create", file) }
        Ownership.inherit(descriptor, file)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw Fault(
                .conflict, "another agent is running in \(directory.path)",
                remedy: "stop it, or give this one a state directory of its own")
        }
    }

    /// Whether some process holds the lock now.
    package static func isHeld(_ directory: StateDirectory) -> Bool {
        let descriptor = open(directory.lockFile, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer {
            flock(descriptor, LOCK_UN)
            close(descriptor)
        }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    deinit {
        guard descriptor >= 0 else { return }
        // Closing alone would not do: a child process has the file too until it executes its program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
