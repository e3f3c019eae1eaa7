import AdminConsole
import ArgumentParser
import CoordinatorService

/// `doctor`: is everything as it should be?
struct DoctorCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the state directory and the running coordinator; exit 1 when one fails.")

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        var findings = DoctorFindings()
        // A credential folder has nothing local to check.
        if let directory = try? StateDirectory(path: common.directory) {
            findings.add(directory.localChecks())
        }
        findings.askCoordinator(directory: common.directory)
        show(findings.json, findings.text)
        if !findings.isHealthy { throw ExitCode.failure }
    }
}
