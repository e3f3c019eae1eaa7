import AgentService
import Configuration
import Federation
import Glibc
import Logging
import Telemetry

func complain(_ text: String, status: Int32) -> Never {
    var line = "tributary-agentd: \(text)\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(status)
}

/// Writes to standard output.
func say(_ text: String) {
    print(text, terminator: "")
    guard fflush(nil) == 0 else {
        complain("cannot write the output: \(String(cString: strerror(errno)))", status: 1)
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

let request: DaemonArguments
do throws(Fault) {
    request = try DaemonArguments(Array(CommandLine.arguments.dropFirst()))
} catch { complain("\(error)", status: 64) }
switch request {
case .help: say(DaemonArguments.usage)
case .version: say(softwareVersion + "\n")
case .work(let file): do throws(Fault) { try run(file) } catch { complain("\(error)", status: 1) }
}
