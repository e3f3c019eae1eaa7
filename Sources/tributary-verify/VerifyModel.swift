import ArgumentParser
import Cryptography
import Federation
import Provenance

/// `tributary-verify model`: a model directory against its signature.
struct VerifyModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Checks that a model directory holds exactly what its signature lists.")

    /// The exit status when the model is not what was signed.
    static let notVerified: Int32 = 1
    /// The exit status when nothing can be said about the model.
    static let couldNotCheck: Int32 = 2

    @Argument(help: "The model's directory.")
    var directory: String

    @Option(help: "The signature bundle. (default: the directory's name with .sig)")
    var signature: String?

    @Option(help: "The fleet's model-signing public key, PEM.")
    var key: String?

    @Option(help: "A fleet's trust set instead of a key; its model keys are trusted.")
    var trust: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (key == nil) != (trust == nil) else {
            throw ValidationError("Give either --key or --trust.")
        }
    }

    func run() throws {
        let result: DirectoryReport
        do { result = try check() } catch {
            report("could not check \(directory): \(error)")
            throw ExitCode(VerifyModel.couldNotCheck)
        }
        if json {
            print(String(decoding: try result.encoded(), as: UTF8.self))
        } else {
            printLines(of: result)
        }
        guard result.isVerified else { throw ExitCode(VerifyModel.notVerified) }
    }

    private func check() throws(Fault) -> DirectoryReport {
        var path = directory
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return try DirectoryCheck.run(
            directory: path, signatureFile: signature ?? path + ".sig", trusted: trustedKeys())
    }

    private func trustedKeys() throws(Fault) -> [PublicKey] {
        if let key { return [try PublicKey(pemFile: key)] }
        return try TrustSet(document: CredentialFile.read(trust ?? "")).modelKeys
    }

    private func printLines(of result: DirectoryReport) {
        for check in result.checks {
            print(
                "\(check.passed ? "OK    " : "FAILED")  \(printable(check.name)): \(check.detail)")
        }
        if result.isVerified {
            print("Verified: \(directory) holds exactly the files that were signed.")
        } else {
            print(
                "NOT VERIFIED: do not use \(directory). Export the model again from the fleet's"
                    + " coordinator, and check that the key is this fleet's.")
        }
    }

    /// A file's name, quoted when it holds what could confuse a terminal.
    private func printable(_ name: String) -> String {
        let quoted = jsonString(name)
        return quoted.utf8.count == name.utf8.count + 2 ? name : quoted
    }
}
