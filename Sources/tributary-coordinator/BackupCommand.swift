import AdminConsole
import ArgumentParser
import Console
import CoordinatorService
import Federation

/// `backup`: a checked copy of the fleet.
struct BackupCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a state directory, as it is at one moment, and check the copy.",
        discussion: """
            Works beside a running coordinator, which goes on. The copy holds the registry, every \
            blob it keeps, the log, the trust sets, certificates and coordinator.toml; the data \
            that coordinator.toml names is not in it. Private keys are only copied with \
            --with-keys; without them, keep a copy of the keys folder elsewhere: nothing can \
            replace it. Nobody but the owner may read the copy.

            \(examples(
                "backup /backup/today --dir STATE",
                "backup /safe/today --with-keys --dir STATE"))
            """)

    @OptionGroup var common: CommonOptions

    @Flag(name: .customLong("with-keys"), help: "Copy the private keys too.")
    var withKeys = false

    @Argument(help: "The directory to make.")
    var output: String

    func execute() async throws {
        let time = ElapsedTime("copying and checking")
        defer { time.end() }
        let backup = try await StateDirectory(path: common.directory)
            .backUp(to: output, withKeys: withKeys)
        time.end()
        show(
            backup.json(directory: output),
            """
            \(output) holds fleet '\(backup.fleet)' with \(backup.leaves) entries of its log, \
            \(withKeys ? "and its private keys" : "without private keys")
            it agrees with its log, root \(backup.root.hex)

            """)
    }
}

extension Backup {
    func json(directory: String) -> JSONValue {
        .object([
            ("dir", .string(directory)), ("fleet", .string(fleet)),
            ("taken_unix", .number(takenUnix)), ("leaves", .number(leaves)),
            ("root", .string(root.hex)), ("keys", .bool(hasKeys)),
        ])
    }
}
