import AgentService
import ArgumentParser
import Configuration
import Console
import Federation

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Looks for whatever keeps this device from taking part; exits 1 when it finds something.",
        discussion: """
            It looks at the state directory, the way to the coordinator (name, port, TLS), the models and data, the owner's \
            rules as they stand now, the processor and OpenBLAS, and changes nothing. Every line is OK, or says what to do.

            \(examples("doctor --config agent.toml", "doctor --config agent.toml --json"))
            """)

    @OptionGroup var config: ConfigurationOption

    @OptionGroup var output: OutputOptions

    func run() throws {
        let findings = examine()
        output.show(
            AgentService.Doctor.json(findings), findings.map { $0.text + "\n" }.joined())
        if findings.contains(where: { !$0.passed }) { throw ExitCode.failure }
    }

    private func examine() -> [AgentService.Doctor.Finding] {
        let check = "configuration"
        do throws(Fault) {
            let configuration = try config.load()
            let first = AgentService.Doctor.Finding(
                check: check, passed: true, detail: config.file)
            return [first] + AgentService.Doctor(configuration).examine()
        } catch { return [.init(check: check, passed: false, detail: error.description)] }
    }
}
