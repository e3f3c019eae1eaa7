import AdminConsole
import ArgumentParser
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
protocol ConsoleCommand: AsyncParsableCommand {
    var common: CommonOptions { get }

    /// Does the work and prints the answer.
    func execute() async throws
}

extension ConsoleCommand {
    func run() async throws {
        do {
            try await execute()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            throw report(error as? Fault ?? Fault(.internal, "\(error)"))
        }
    }

    /// Prints the answer to `request`.
    func answer(_ request: AdminRequest) throws(Fault) {
        var client = try AdminClient.connect(directory: common.directory)
        let response = try client.perform(request)
        show(response.json, response.text(width: OutputStream.standard.width))
    }

    /// Prints `document` or `text`, whichever was asked for.
    func show(_ document: JSONValue, _ text: String) {
        OutputStream.standard.write(common.wantsJSON ? document.text + "\n" : text)
    }

    /// Where progress goes: standard output belongs to the document when there is one.
    var progressStream: OutputStream { common.wantsJSON ? .error : .standard }

    private func report(_ fault: Fault) -> ExitCode {
        let remedy = fault.remedy.isEmpty ? "" : "  \(fault.remedy)\n"
        OutputStream.error.write("error: \(fault.message)\n\(remedy)")
        if common.wantsJSON { OutputStream.standard.write(fault.json.text + "\n") }
        return .failure
    }
}
