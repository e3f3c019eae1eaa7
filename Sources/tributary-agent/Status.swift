import AgentService
import ArgumentParser
import Configuration
import Federation

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what the daemon last said about itself.")

    @OptionGroup var config: ConfigurationOption

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let report = try StatusReport(StateDirectory(path: try config.load().stateDirectory))
        print(json ? report.json + "\n" : report.text, terminator: "")
    }
}
