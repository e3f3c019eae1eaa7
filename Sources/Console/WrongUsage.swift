package import ArgumentParser
package import Federation
import Glibc

/// A call of a program that its commands do not allow.
package struct WrongUsage {
    /// For standard error: the mistake and what to do, a final newline included.
    package let text: String
    /// The same, for a document.
    package let fault: Fault
    /// Whether the call asks for a document, as far as it can be understood.
    package let wantsJSON: Bool

    /// - Parameter arguments: the program's, without its name.
    /// - Returns: nil when they call a command, or ask for help or the version.
    package init?(_ root: any ParsableCommand.Type, _ arguments: [String]) {
        wantsJSON = arguments.prefix { $0 != "--" }.contains("--json")
        if let hint = CommandHint(root, arguments) {
            (text, fault) = (hint.text, hint.fault)
            return
        }
        do {
            _ = try root.parseAsRoot(arguments)
            return nil
        } catch {
            guard root.exitCode(for: error) == .validationFailure else { return nil }
            text = root.fullMessage(for: error) + "\n"
            // Some of these messages are sentences; those of faults have no full stop.
            let message = root.message(for: error)
            fault = Fault(
                .invalid, message.hasSuffix(".") ? String(message.dropLast()) : message,
                remedy: "`\(CalledCommand(root, arguments).path) --help` lists what there is")
        }
    }

    /// Says so, with a document on standard output where one is asked for, and ends the process.
    ///
    /// - Parameters:
    ///   - status: the exit status.
    ///   - document: the one of a fault, without a final newline.
    package func end(status: Int32, document: (Fault) -> String) -> Never {
        OutputStream.error.offer(text)
        if wantsJSON { OutputStream.standard.write(document(fault) + "\n") }
        Glibc.exit(status)
    }
}
