import AdminConsole
import ArgumentParser
import Console
import Cryptography
import Federation
import Privacy
import Wire

struct PrivacyShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a plan's population has spent, and what further rounds would cost.",
        discussion: examples("privacy show fashion-private --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "A private plan's name.")
    var plan: String

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let outlook = PrivacyOutlook(try client.ledger(plan: plan))
        show(outlook.json, outlook.text)
    }
}

struct PrivacyExportCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write every charge against a plan's population, for an auditor.",
        discussion: """
            The file holds for each charge the noise multiplier, the sampling rate and the round. \
            Whoever has it can compute epsilon anew with an accountant of their own: one Gaussian \
            mechanism a charge, Poisson-sampled with its rate, under add-or-remove-one adjacency; \
            with rate 1, an agent's update is replaced by zero. Nothing in it depends on the data.

            \(examples(
                "privacy export fashion-private --output ledger.json --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "Any private plan of the population.")
    var plan: String

    @Option(help: "The file to write; it must not exist yet. Without it the ledger is printed.")
    var output: String?

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let ledger = try client.ledger(plan: plan)
        guard let output else {
            let answer = AdminResponse.ledger(ledger)
            return show(answer.json, answer.text(on: OutputStream.standard.screen))
        }
        let document = AdminResponse.ledger(ledger).json.text + "\n"
        try CredentialFile.create(output, Array(document.utf8), mode: CredentialFile.publicMode)
        show(
            .object([("output", .string(output)), ("charges", .number(ledger.total))]),
            "\(ledger.total) charges written to \(output)\n")
    }
}
