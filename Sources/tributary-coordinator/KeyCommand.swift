import AdminConsole
import ArgumentParser
import Console
import CoordinatorService
import Cryptography
import Federation

/// `key`: the keys that sign models, offline in the state directory.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "List, replace and revoke the keys that sign models.",
        discussion: examples("key list --dir STATE"),
        subcommands: [KeyList.self, KeyRotate.self, KeyRevoke.self])
}

/// The curves that a model-signing key may be on.
enum ModelCurve: String, CaseIterable, ExpressibleByArgument {
    case p256 = "P-256"
    case p384 = "P-384"

    var kind: KeyKind { self == .p256 ? .p256 : .p384 }
}

struct KeyList: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the keys of the fleet's trust set.",
        discussion: examples("key list --dir STATE"))

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        let keys = try StateDirectory(path: common.directory).keys()
        var table = Table([
            ("USE", .left), ("KEY", .left), ("CURVE", .left), ("STATE", .left), ("FROM", .right),
            ("UNTIL", .right), ("REVOKED SINCE", .left),
        ])
        for key in keys {
            table.add([
                key.use, key.digest.hex, key.curve, key.state,
                key.from.map { "\($0)" } ?? "-", key.until.map { "\($0)" } ?? "-",
                key.revokedUnix.map(date) ?? "-",
            ])
        }
        let document = keys.map { key in
            JSONValue.object([
                ("use", .string(key.use)), ("key", .string(key.digest.hex)),
                ("curve", .string(key.curve)), ("state", .string(key.state)),
                ("from", key.from.map(JSONValue.number) ?? .null),
                ("until", key.until.map(JSONValue.number) ?? .null),
                ("revoked_unix", key.revokedUnix.map(JSONValue.number) ?? .null),
            ])
        }
        show(.array(document), table.text(on: OutputStream.standard.screen))
    }
}

struct KeyRotate: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replace the key file that signs models; stop the coordinator first.",
        discussion: """
            Devices take the new key because the old one signs the trust set that has it. What the \
            old key signed stays verifiable. A key on a token is replaced in coordinator.toml \
            instead: name another one under [keys] and start the coordinator.

            \(examples("key rotate --dir STATE"))
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "The new key's curve, P-256 or P-384 (default: that of the old one).")
    var curve: ModelCurve?

    @Option(
        help: "A file with the passphrase to encrypt the new key with (default: [keys] says).")
    var passphraseFile: String?

    @Flag(help: "Delete the old private key instead of keeping it beside the new one.")
    var destroyOld = false

    func execute() async throws {
        let report = try await StateDirectory(path: common.directory).rotateModelKey(
            curve?.kind, passphraseFile: passphraseFile.map(absolute), destroysOld: destroyOld)
        showReport(report)
    }
}

struct KeyRevoke: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Take the trust from what a replaced key signed; stop the coordinator first.",
        discussion: examples(
            "key revoke KEY --since 2026-11-01 --reason stolen --dir STATE"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The key: as much of its digest in `key list` as names one.")
    var key: String

    @Option(help: "From when: 2026-11-22 or 2026-11-22T07:30:00Z (UTC).")
    var since: UTCTime

    @Option(help: "Why; the log keeps it.")
    var reason: String

    func execute() async throws {
        let (untrusted, report) = try await StateDirectory(path: common.directory).revokeModelKey(
            key, sinceUnix: since.unix, reason: reason)
        var text = report.map { $0 + "\n" }.joined()
        for model in untrusted {
            text +=
                "no longer trusted: \(model.plan) version \(model.version)"
                + " (log position \(model.position))\n"
        }
        if let newest = untrusted.last {
            text +=
                "`tributary-coordinator model republish \(newest.plan) --version V` makes a"
                + " good version V the newest again\n"
        }
        show(
            .object([
                ("report", .array(report.map(JSONValue.string))),
                (
                    "untrusted",
                    .array(
                        untrusted.map {
                            .object([
                                ("plan", .string($0.plan)), ("version", .number($0.version)),
                                ("position", .number($0.position)),
                            ])
                        })
                ),
            ]), text)
    }
}

/// A time on the command line, in UTC.
struct UTCTime: ExpressibleByArgument {
    let unix: UInt64

    init?(argument: String) {
        guard let unix = unixSeconds(iso8601: argument) else { return nil }
        self.unix = unix
    }
}

extension ConsoleCommand {
    /// Prints what an offline command did.
    func showReport(_ lines: [String]) {
        show(
            .object([("report", .array(lines.map(JSONValue.string)))]),
            lines.map { $0 + "\n" }.joined())
    }
}
