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
    package var planDirectory: String { "\(path)/plans" }
    package var blobDirectory: String { "\(path)/blobs" }
    package var modelDirectory: String { "\(path)/models" }
    package var updateDirectory: String { "\(path)/update" }

    private var folders: [String] {
        [path, planDirectory, blobDirectory, modelDirectory, updateDirectory]
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

    /// Removes what an earlier identity left, its certificate first: plans, models, blobs and updates may be another fleet's.
    func clear() {
        unlink(certificateFile)
        let files = [nextKeyFile, checkpointFile, statusFile, summaryFile, assignmentFile]
        for file in files { unlink(file) }
        for folder in folders where folder != path {
            for name in names(in: folder) {
                removeDirectory("\(folder)/\(name)")
                unlink("\(folder)/\(name)")
            }
        }
    }
}

/// Held by the one process that works in a state directory; two daemons with one identity would fight over it.
package struct StateLock: ~Copyable {
    private let descriptor: Int32

    /// - Throws: `Fault.conflict` when another process holds it, `Fault.storage`.
    package init(_ directory: StateDirectory) throws(Fault) {
        let file = "\(directory.path)/lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, CredentialFile.secretMode)
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw storageFault("cannot create", file) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw Fault(
                .conflict, "another agent is running in \(directory.path)",
                remedy: "stop it, or give this one a state directory of its own")
        }
    }

    /// Whether some process holds the lock now.
    package static func isHeld(_ directory: StateDirectory) -> Bool {
        let descriptor = open("\(directory.path)/lock", O_RDWR | O_CLOEXEC)
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
