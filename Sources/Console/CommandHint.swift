package import ArgumentParser
package import Federation

/// What to say of a command or an option that there is not.
package struct CommandHint {
    /// The mistake, and what to do.
    package let fault: Fault

    /// The mistake, and on a second line what to do.
    package var text: String { "error: \(fault.message)\n  \(fault.remedy)\n" }

    /// - Parameter arguments: the program's, without its name.
    /// - Returns: nil when they name commands and options that there are.
    package init?(_ root: any ParsableCommand.Type, _ arguments: [String]) {
        let called = CalledCommand(root, arguments)
        let (command, path) = (called.command, called.path)
        let subcommands = command.configuration.subcommands
        guard !subcommands.isEmpty else {
            guard let fault = Self.option(root.helpMessage(for: command), path, called.rest) else {
                return nil
            }
            self.fault = fault
            return
        }
        guard let word = called.rest.first, !word.hasPrefix("-"), word != "help" else { return nil }
        fault = Self.fault(
            "'\(word)' is no command of `\(path)`", path,
            nearest(to: word, among: subcommands.map { $0._commandName })
                .map { "`\(path) \($0)`" })
    }

    /// What to say of the first of `arguments` that is an option which `help` does not name; nil when there is none.
    private static func option(
        _ help: String, _ path: String, _ arguments: ArraySlice<String>
    ) -> Fault? {
        let known = help.split { !$0.isLetter && !$0.isNumber && $0 != "-" }
            .filter { $0.hasPrefix("--") }.map(String.init)
        for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let name = String(argument.prefix { $0 != "=" })
            // Every command has these, and does not say so.
            let isHidden = ["--help", "--experimental", "--generate"].contains {
                name.hasPrefix($0)
            }
            if isHidden || known.contains(name) { continue }
            return fault(
                "`\(path)` has no option \(name)", path, nearest(to: name, among: known))
        }
        return nil
    }

    private static func fault(_ mistake: String, _ path: String, _ meant: String?) -> Fault {
        let question = meant.map { "did you mean \($0)? " } ?? ""
        return Fault(
            .invalid, mistake, remedy: "\(question)`\(path) --help` lists what there is")
    }
}
