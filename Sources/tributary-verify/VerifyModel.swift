import ArgumentParser
import Cryptography
import Federation
import Glibc
import Provenance
import Verification

/// `tributary-verify model`: a model directory against its signature, the log and the keys.
struct VerifyModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Checks a model directory: files, signature, log, parents and privacy budget.",
        discussion: """
            With --trust everything is checked that the files at hand allow. The log is DIR/../log \
            unless --log names it; without a log, its part is listed as skipped. With --key only \
            the signature and the files are checked.

            The newest checkpoint of a log is kept beside the trust set, so that a log which was \
            rolled back or forked since the last time is noticed.

            \(examples(
                "model export/fashion-15 --trust trust-set.json",
                "model export/fashion-15 --trust trust-set.json --json",
                "model export/fashion-15 --key model-signing.pub"))
            """)

    @Argument(help: "The model's directory.")
    var directory: String

    @Option(help: "The signature bundle. (default: the directory's name with .sig)")
    var signature: String?

    @Option(help: "The log proof. (default: the directory's name with .tlog-proof)")
    var proof: String?

    @Option(help: "The fleet's trust set, as `tributary-coordinator trust export` writes it.")
    var trust: String?

    @Option(help: "The fleet's model-signing public key, PEM: checks signature and files alone.")
    var key: String?

    @Option(help: "The log: a directory or an http:// URL. (default: `log` beside the model)")
    var log: String?

    @Option(help: "Where the last checkpoint is kept. (default: the trust set's with .checkpoint)")
    var state: String?

    @Option(help: "A witness's verifier key, who must have cosigned the log's checkpoint.")
    var witness: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (key == nil) != (trust == nil) else {
            throw ValidationError("Give either --key or --trust.")
        }
        guard key == nil || (proof == nil && log == nil && state == nil && witness == nil) else {
            throw ValidationError("--proof, --log, --state and --witness need --trust.")
        }
    }

    func run() throws {
        let answer = Answer(
            subject: directory, isJSON: json,
            success: key == nil
                ? "is what the fleet signed and logged."
                : "holds exactly the files that were signed. Nothing else was checked.",
            remedy: "Export the model again from the fleet's coordinator, and check that the key is"
                + " this fleet's.")
        try answer.give { () throws(Fault) in try verification().run() }
    }

    private func verification() throws(Fault) -> ModelVerification {
        let path = withoutFinalSlashes(directory)
        let signature = signature ?? path + ".sig"
        let proof = proof ?? path + ".tlog-proof"
        guard let trust else {
            return ModelVerification(
                directory: path, signature: signature, proof: proof,
                trust: .key(try PublicKey(pemFile: key ?? "")), log: nil, remembered: nil)
        }
        return ModelVerification(
            directory: path, signature: signature, proof: proof,
            trust: .set(try trustSet(file: trust)),
            log: try location(besides: path),
            remembered: RememberedCheckpoint(file: state ?? trust + ".checkpoint"),
            witness: try witness.map { (vkey) throws(Fault) in try WitnessKey(vkey: vkey) })
    }

    /// The log that was named, or the one that `model export` left beside the model.
    private func location(besides path: String) throws(Fault) -> LogLocation? {
        if let log { return try LogLocation(log) }
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let isRelative = path.hasSuffix(".") || path == "/"
        let log = isRelative ? "\(path)/../log" : "\(parent)/log"
        return access("\(log)/checkpoint", F_OK) == 0 ? try LogLocation(log) : nil
    }

    private func withoutFinalSlashes(_ path: String) -> String {
        var path = path
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return path
    }
}

/// Reads a trust set.
func trustSet(file: String) throws(Fault) -> TrustSet {
    let document = try CredentialFile.read(file)
    do { return try TrustSet(document: document) } catch {
        throw Fault(
            error.code, "\(file): \(error.message)",
            remedy: "`tributary-coordinator trust export` writes a trust set")
    }
}
