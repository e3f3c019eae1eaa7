import AdminConsole
import ArgumentParser
import Console
import Federation
import Wire

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(name: .customLong("dir"), help: "The state directory or credential folder.")
    var directory: String

    @Flag(name: .customLong("json"), help: "Print one JSON document.")
    var wantsJSON = false
}

/// A command that ends with an answer, or with a fault and exit status 1.
protocol AnsweringCommand: AsyncParsableCommand {
    /// Whether the answer is one JSON document.
    var wantsJSON: Bool { get }

    /// Does the work and prints the answer.
    func execute() async throws
}

/// One that needs a state directory or a credential.
protocol ConsoleCommand: AnsweringCommand {
    var common: CommonOptions { get }
}

extension ConsoleCommand {
    var wantsJSON: Bool { common.wantsJSON }

    /// Prints the answer to `request`.
    func answer(_ request: AdminRequest) throws(Fault) {
        var client = try AdminClient.connect(directory: common.directory)
        let response = try client.performWhole(request)
        show(response.json, response.text(on: OutputStream.standard.screen))
    }
}

extension AnsweringCommand {
    func run() async throws {
        do {
            try await execute()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            throw report(error as? Fault ?? Fault(.internal, "\(error)"))
        }
    }

    /// Prints `document` or `text`, whichever was asked for.
    func show(_ document: JSONValue, _ text: String) {
        OutputStream.standard.write(wantsJSON ? document.text + "\n" : text)
    }

    /// Where progress goes: standard output belongs to the document when there is one.
    var progressStream: OutputStream { wantsJSON ? .error : .standard }

    private func report(_ fault: Fault) -> ExitCode {
        let remedy = fault.remedy.isEmpty ? "" : "  \(fault.remedy)\n"
        OutputStream.error.write("error: \(fault.message)\n\(remedy)")
        if wantsJSON { OutputStream.standard.write(fault.json.text + "\n") }
        return .failure
    }
}
