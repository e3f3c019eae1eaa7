import ArgumentParser

/// The command that a program's arguments begin with.
struct CalledCommand {
    /// The program itself where the first argument names none of its commands.
    let command: any ParsableCommand.Type
    /// What to type for it, the program's name first.
    let path: String
    /// The arguments after it.
    let rest: ArraySlice<String>

    /// - Parameter arguments: the program's, without its name.
    init(_ root: any ParsableCommand.Type, _ arguments: [String]) {
        var command = root
        var path = root._commandName
        var rest = arguments[...]
        while let word = rest.first,
            let next = command.configuration.subcommands.first(where: { $0._commandName == word })
        {
            command = next
            path += " \(word)"
            rest = rest.dropFirst()
        }
        (self.command, self.path, self.rest) = (command, path, rest)
    }
}
