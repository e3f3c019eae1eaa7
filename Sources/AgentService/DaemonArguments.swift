package import Federation

/// What the words after `tributary-agentd` ask for. The daemon has no parser of arguments with it: it is small.
package enum DaemonArguments: Equatable, Sendable {
    /// To work, as this configuration file says.
    case work(configuration: String)
    case help
    case version

    /// The configuration that is meant when none is named.
    package static let usualConfiguration = "/etc/tributary/agent.toml"

    package static let usage = """
        usage: tributary-agentd [--config FILE]

        The resident agent. Enrol the device first: tributary-agent enroll --config FILE --token TOKEN

          --config FILE  the agent's configuration, see agent.toml (default: \(usualConfiguration))
          --version      print the version
          --help         print this

        """

    /// - Parameter arguments: without the program's name.
    /// - Throws: `Fault.invalid` naming the first that makes no sense, with the option that was probably meant.
    package init(_ arguments: [String]) throws(Fault) {
        let option = "--config"
        switch (arguments.first, arguments.count) {
        case (nil, _): self = .work(configuration: Self.usualConfiguration)
        case ("--help", 1), ("-h", 1): self = .help
        case ("--version", 1): self = .version
        case (option, 1):
            throw Fault(.invalid, "\(option) names no file", remedy: "give \(option) FILE")
        case (option, 2): self = .work(configuration: arguments[1])
        case (let word?, 1) where word.hasPrefix(option + "="):
            self = .work(configuration: String(word.dropFirst(option.count + 1)))
        default: throw Self.unknown(arguments)
        }
    }

    private static func unknown(_ arguments: [String]) -> Fault {
        let known = ["--config", "--version", "--help"]
        let names = arguments.map { String($0.prefix { $0 != "=" }) }
        guard let name = names.first(where: { $0.hasPrefix("-") && !known.contains($0) }) else {
            return Fault(
                .invalid, "'\(arguments.joined(separator: " "))' makes no sense here",
                remedy: "give --config FILE and nothing else")
        }
        let question = nearest(to: name, among: known).map { "did you mean \($0)? " } ?? ""
        return Fault(
            .invalid, "there is no option \(name)",
            remedy: question + "`tributary-agentd --help` lists what there is")
    }
}
