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
        let configuration = try config.load()
        let directory = StateDirectory(path: configuration.stateDirectory)
        let conditions = WorkConditions(configuration.participation, of: directory)
        let report = try StatusReport(directory, conditions: conditions.examine())
        print(json ? report.json + "\n" : report.text, terminator: "")
    }
}
