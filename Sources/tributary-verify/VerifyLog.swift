import ArgumentParser
import Cryptography
import Federation
import Provenance
import Verification

/// `tributary-verify log`: a transparency log by itself.
struct VerifyLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Checks a fleet's log: every leaf and tile, models, keys and privacy budgets.",
        discussion: """
            The log is a directory or an http:// URL. Its newest checkpoint is kept, so that a log \
            which was rolled back or forked since the last time is noticed.

            \(examples(
                "log export/log --trust trust-set.json",
                "log http://fleet.example.org:7480 --trust trust-set.json --since old-checkpoint"))
            """)

    @Argument(help: "The log's directory, or an http:// URL.")
    var log: String

    @Option(help: "An older checkpoint's file, which the log must go on from.")
    var since: String?

    @Option(help: "The fleet's trust set, as `tributary-coordinator trust export` writes it.")
    var trust: String?

    @Option(help: "The log's verifier key (NAME+ID+KEY) instead of a trust set.")
    var vkey: String?

    @Option(help: "A witness's verifier key, who must have cosigned the checkpoint.")
    var witness: String?

    @Option(help: "Where the last checkpoint is kept. (default: the trust set's with .checkpoint)")
    var state: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (vkey == nil) != (trust == nil) else {
            throw ValidationError("Give either --trust or --vkey.")
        }
    }

    func run() throws {
        let answer = Answer(
            subject: log, isJSON: json, success: "is a log that holds together.",
            remedy: "Keep a copy, and ask the fleet's operator: a log that fails was changed, or is"
                + " another fleet's.")
        try answer.give { () throws(Fault) in try verification().run() }
    }

    private func verification() throws(Fault) -> LogVerification {
        let state = state ?? trust.map { $0 + ".checkpoint" }
        let believed: LogVerification.Trust
        if let trust {
            believed = .set(try trustSet(file: trust))
        } else {
            believed = .log(try LogKey(vkey: vkey ?? ""))
        }
        return LogVerification(
            log: try LogLocation(log),
            trust: believed,
            since: try since.map { (file) throws(Fault) in try CredentialFile.read(file) },
            remembered: state.map(RememberedCheckpoint.init(file:)),
            witness: try witness.map { (vkey) throws(Fault) in try WitnessKey(vkey: vkey) })
    }
}
