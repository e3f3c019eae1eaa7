import AdminConsole
import ArgumentParser
import Console
import Cryptography
import Federation
import Provenance
import Wire

/// `audit`: the log that nobody can change unnoticed.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Read, prove, witness and verify the log of everything that happened.",
        discussion: examples(
            "audit log --dir DIR",
            "audit verify --dir STATE"),
        subcommands: [
            AuditLogCommand.self, AuditProveCommand.self, AuditCheckpointCommand.self,
            AuditWitnessCommand.self, AuditVerifyCommand.self,
        ])
}

/// Where a command writes what it was asked for.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .customLong("output"),
        help: "The file to write; it must not exist yet. Without it the content is printed.")
    var file: String?

    /// Writes `content` to the file, if there is one.
    func write(_ content: [UInt8]) throws(Fault) {
        guard let file else { return }
        try CredentialFile.create(file, content, mode: CredentialFile.publicMode)
    }
}

struct AuditLogCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "List what the log holds, oldest first.",
        discussion: examples("audit log --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Option(help: "Only what happened to this plan.")
    var plan: String?

    @Option(help: "Only this kind of event, such as modelSigned.")
    var kind: String?

    @Option(name: .customLong("from"), help: "The first position (default: the newest leaves).")
    var first: UInt64?

    @Option(help: "The most leaves to list.")
    var limit = 100

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
        if let kind, FleetEvent.Kind(rawValue: kind) == nil {
            let kinds = FleetEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("there is no kind '\(kind)'; the kinds are \(kinds)")
        }
    }

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let entries = try client.log(
            LogQuery(plan: plan, kind: kind, first: first, limit: limit))
        let answer = AdminResponse.log(entries)
        show(answer.json, answer.text(on: OutputStream.standard.screen))
    }
}

struct AuditProveCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Write the proof that a model version, or any leaf, is in the log.",
        discussion: """
            The proof is a C2SP tlog-proof; `tributary-verify` reads one beside a model.

            \(examples(
                "audit prove fashion --version 3 --output proof --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The plan's name.")
    var plan: String?

    @Option(help: "The model's version.")
    var version: UInt64?

    @Option(help: "The position of a leaf, instead of a plan and a version.")
    var index: UInt64?

    func validate() throws {
        guard (plan == nil) == (version == nil), (plan == nil) != (index == nil) else {
            throw ValidationError("name PLAN --version V, or --index N")
        }
    }

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let proven = try client.proof(
            AuditProve(
                byModel: plan != nil, plan: plan ?? "", version: version ?? 0, index: index ?? 0))
        try output.write(proven.proof.encoded())
        show(proven.json, output.file.map(proven.text(writtenTo:)) ?? proven.proofText)
    }
}

struct AuditCheckpointCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Write the log's newest checkpoint: its size and root, signed.",
        discussion: examples("audit checkpoint --dir DIR"))

    @OptionGroup var common: CommonOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let signed = try client.checkpoint(key: try client.trustSet().log)
        try output.write(signed.note)
        show(
            signed.json,
            output.file.map { "\(signed.facts) written to \($0)\n" }
                ?? String(decoding: signed.note, as: UTF8.self))
    }
}
