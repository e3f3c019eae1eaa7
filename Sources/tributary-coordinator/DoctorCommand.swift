import AdminConsole
import ArgumentParser
import CoordinatorService
import Cryptography

/// `doctor`: is everything as it should be?
struct DoctorCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the state directory and the running coordinator; exit 1 when one fails.",
        discussion: """
            On the coordinator's machine it looks at keys, certificates, disk, memory and data, and asks the running daemon \
            for the rest; without one it says what the next start would find. With a credential folder it looks at the way \
            to the coordinator, name, port and TLS, and asks.

            Run as root, it looks with the eyes of the user that the directory belongs to. Every line is ok, or says what \
            to do. Exit status 1 when one is not.

            \(examples("doctor --dir DIR", "doctor --dir alice-credential --json"))
            """)

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        // A credential folder has nothing local to check.
        let directory = try? StateDirectory(path: common.directory)
        var findings = try look(at: directory)
        if let directory, findings.tlsVersion == nil, !directory.isServed {
            findings.add(await directory.offlineChecks())
        }
        try conclude(findings)
    }

    /// All that can be found without waiting for the registry; apart, because the optimiser fails on it in `execute`.
    @inline(never)
    private func look(at directory: StateDirectory?) throws -> DoctorFindings {
        var findings = DoctorFindings()
        guard let directory else {
            findings.askCoordinator(directory: common.directory)
            return findings
        }
        // Root could read everything; what counts is what the service can.
        try Ownership.actAsOwner(of: directory.path)
        findings.add(directory.localChecks())
        findings.add(directory.nameChecks())
        findings.askCoordinator(directory: common.directory)
        if findings.tlsVersion != nil {
            findings.probeMetrics()
        } else if !directory.isServed {
            findings.add([
                (
                    "daemon", false,
                    "no coordinator runs in \(directory.path); start it with `systemctl start"
                        + " tributary-coordinator`, or `tributary-coordinator serve --dir"
                        + " \(directory.path)`"
                )
            ])
        }
        return findings
    }

    private func conclude(_ findings: DoctorFindings) throws {
        show(findings.json, findings.text)
        if !findings.isHealthy { throw ExitCode.failure }
    }
}
