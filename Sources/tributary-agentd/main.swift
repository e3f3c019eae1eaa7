import AgentService
import Configuration
import Federation
import Glibc
import Logging
import Telemetry

let usage = """
    usage: tributary-agentd --config FILE

    The resident agent. Enrol the device first: tributary-agent enroll --config FILE --token TOKEN

      --config FILE  the agent's configuration, see agent.toml
      --version      print the version
      --help         print this

    """

func complain(_ text: String, status: Int32) -> Never {
    var line = "tributary-agentd: \(text)\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(status)
}

/// The configuration file that the arguments name; answers `--help` and `--version` itself.
func configurationFile(_ arguments: [String]) -> String {
    switch arguments {
    case ["--help"], ["-h"]:
        print(usage, terminator: "")
        exit(0)
    case ["--version"]:
        print(softwareVersion)
        exit(0)
    case _ where arguments.count == 2 && arguments[0] == "--config":
        return arguments[1]
    default: complain("give --config FILE and nothing else\n\n\(usage)", status: 64)
    }
}

/// Serves the agent's metrics. A port that is taken is no reason not to work.
func serve(_ metrics: AgentMetrics, of configuration: AgentConfiguration, port: Int, _ log: Logger)
{
    do throws(Fault) {
        let port = try metrics.serve(configuration, port: port)
        log.info("metrics are served", metadata: ["url": "http://127.0.0.1:\(port)/metrics"])
    } catch {
        log.warning(
            "no metrics", metadata: ["reason": "\(error.message)", "remedy": "\(error.remedy)"])
    }
}

func run(_ file: String) throws(Fault) {
    let configuration = try AgentConfiguration.load(file: file)
    let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
    let format = LogFormat(rawValue: configuration.logFormat) ?? .text
    let log = Logger(label: "agent") { _ in StderrLog(level: level, format: format) }
    let metrics = AgentMetrics()
    var agent = try Agent(
        configuration, log: log, stop: try StopSignal.install(), metrics: metrics)
    if let port = configuration.metricsPort { serve(metrics, of: configuration, port: port, log) }
    agent.run()
}

do throws(Fault) { try run(configurationFile(Array(CommandLine.arguments.dropFirst()))) } catch {
    complain("\(error)", status: 1)
}
