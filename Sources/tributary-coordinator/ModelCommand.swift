import AdminConsole
import ArgumentParser
import Federation
import Wire

/// `model`: what the rounds made.
struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "List, show, export and republish model versions.",
        discussion: examples(
            "model list fashion --dir DIR",
            "model export fashion --output export --dir DIR"),
        subcommands: [
            ModelListCommand.self, ModelShowCommand.self, ModelExportCommand.self,
            ModelRepublishCommand.self,
        ])
}

/// Which version of which plan's model.
struct VersionOptions: ParsableArguments {
    @Argument(help: "The plan's name.")
    var plan: String

    @Option(name: .customLong("version"), help: "The version (default: the newest).")
    var number: UInt64?

    var request: AdminRequest {
        .modelShow(ModelShow(plan: plan, version: number ?? 0, latest: number == nil))
    }
}

struct ModelListCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every version of a plan's model.",
        discussion: examples("model list fashion --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var plan: String

    func execute() async throws { try answer(.modelList(ModelList(plan: plan))) }
}

struct ModelShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one version.",
        discussion: examples(
            "model show fashion --dir DIR",
            "model show fashion --version 3 --dir DIR"))

    @OptionGroup var common: CommonOptions
    @OptionGroup var version: VersionOptions

    func execute() async throws { try answer(version.request) }
}

struct ModelExportCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a version with everything that it takes to check it elsewhere.",
        discussion: """
            Writes OUTPUT/PLAN-VERSION/, OUTPUT/PLAN-VERSION.sig, OUTPUT/PLAN-VERSION.tlog-proof, \
            OUTPUT/model-signing.pub, OUTPUT/trust-set.json and the log in OUTPUT/log/; all of it \
            is checked on the way.

            \(examples("model export fashion --output export --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var version: VersionOptions

    @Option(help: "The folder to write in.")
    var output: String

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let response = try client.perform(version.request)
        guard case .model(let model) = response else { throw unexpectedAnswer() }
        let progress = LiveProgress()
        defer { progress.end() }
        let exported = try client.export(model, to: output) { what, done in
            progress.show("fetching \(what)", done)
        }
        progress.end()
        show(exported.json, exported.text)
    }
}

struct ModelRepublishCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "republish",
        abstract: "Publish an older version's weights again, as the next version.",
        discussion: """
            Versions only go up: agents refuse one that is older than what they hold. This is how \
            a fleet goes back to weights it trusts, and how it signs them with a new key.

            \(examples("model republish fashion --version 3 --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var plan: String

    @Option(help: "The version whose weights become the next one.")
    var version: UInt64

    func execute() async throws {
        try answer(.modelRepublish(ModelRepublish(plan: plan, version: version)))
    }
}
