import AdminConsole
import ArgumentParser
import CoordinatorService
import Cryptography
import Federation
import Provenance

/// `trust`: the fleet's trust set, from a state directory or, with a credential folder, from the coordinator.
struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Show the keys to verify with, or write them for an auditor.",
        discussion: examples("trust export --output trust-set.json --dir DIR"),
        subcommands: [TrustShowCommand.self, TrustExport.self])
}

struct TrustShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the trust set.",
        discussion: examples("trust show --dir DIR"))

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        let set = try trustSet()
        var text = "trust set \(set.version) of fleet '\(set.fleet)'\nlog \(set.log.vkey)\n"
        for authority in set.authorities {
            text +=
                "authority \(authority.publicKey.spkiDigest.hex), until"
                + " \(date(UInt64(clamping: authority.notAfterUnix)))\n"
        }
        for key in set.modelKeys {
            let end = key.until.map { "before position \($0)" } ?? "active"
            let revoked = key.revokedUnix.map { ", revoked since \(date($0))" } ?? ""
            text +=
                "model key \(key.key.spkiDigest.hex) after position \(key.from), \(end)"
                + "\(revoked)\n"
        }
        show(
            .object([
                ("version", .number(set.version)), ("fleet", .string(set.fleet)),
                ("log", .string(set.log.vkey)),
                (
                    "authorities",
                    .array(set.authorities.map { .string($0.publicKey.spkiDigest.hex) })
                ),
                (
                    "model_keys",
                    .array(
                        set.modelKeys.map { key in
                            .object([
                                ("key", .string(key.key.spkiDigest.hex)),
                                ("from", .number(key.from)),
                                ("until", key.until.map(JSONValue.number) ?? .null),
                                ("revoked_unix", key.revokedUnix.map(JSONValue.number) ?? .null),
                            ])
                        })
                ),
            ]), text)
    }
}

struct TrustExport: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the trust set: the one file that tributary-verify needs.",
        discussion: examples("trust export --output trust-set.json --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Option(help: "The file to write.")
    var output: String

    func execute() async throws {
        let set = try trustSet()
        try CredentialFile.replace(output, set.document, mode: CredentialFile.publicMode)
        show(
            .object([("version", .number(set.version)), ("file", .string(output))]),
            "trust set \(set.version) of fleet '\(set.fleet)' is in \(output)\n")
    }
}

extension ConsoleCommand {
    fileprivate func trustSet() throws(Fault) -> TrustSet {
        if let directory = try? StateDirectory(path: common.directory) {
            return try TrustSet(document: try CredentialFile.read(directory.trustSetFile))
        }
        var client = try AdminClient.connect(directory: common.directory)
        return try client.trustSet()
    }
}
