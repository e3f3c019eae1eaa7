import AdminConsole
import ArgumentParser
import Console
import CoordinatorService
import Registry

/// `restore`: a state directory from a backup.
struct RestoreCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a state directory of a backup, check it, and log that it was restored.",
        discussion: """
            Only the newest state goes on. When agents have seen more of the log than the backup \
            holds, the restored coordinator starts no rounds and says why: what was spent since \
            is not known to it, and would be spent twice; and agents refuse the models of a log \
            that does not continue theirs. Bring back a newer state then. If there is none, the \
            fleet ends here: make a new one with init, lower the budgets of its plans by what the \
            old one may have spent, and enrol the devices again.

            A round that was in flight at the backup, and its job, end here: it may have been \
            released after the backup, and would be released once more with other noise. Start \
            it again.

            \(examples(
                "restore /backup/today --into STATE --keys /safe/keys"))
            """)

    @Argument(help: "What `backup` has written.")
    var backup: String

    @Option(name: .customLong("into"), help: "The state directory to make.")
    var directory: String

    @Option(
        name: .customLong("keys"),
        help: "The folder with the private keys, if the backup is without.")
    var keys: String?

    @Flag(name: .customLong("json"), help: "Print one JSON document.")
    var wantsJSON = false

    func execute() async throws {
        let time = ElapsedTime("copying and checking")
        defer { time.end() }
        let (state, restored) = try await StateDirectory.restore(
            backup, to: directory, keys: keys)
        time.end()
        show(
            restored.json(directory: state.path),
            """
            \(state.path) holds fleet '\(restored.fleet)' as it was on \
            \(date(restored.takenUnix)), with \(restored.leaves) entries of its log
            next: make sure that no other coordinator has its keys, check the paths in \
            coordinator.toml, then
            \(await credentialStep(of: state))  tributary-coordinator serve --dir \(state.path)

            """)
    }

    /// An admin's key is only in a backup with keys: without one no command could reach the coordinator.
    private func credentialStep(of state: StateDirectory) async -> String {
        guard (try? AdminCredential(directory: state.path)) == nil else { return "" }
        let people = (try? await state.people()) ?? []
        let isFree = !people.contains { $0.name == "admin" && $0.isRevoked }
        return "  tributary-coordinator admin issue --dir \(state.path) --name"
            + " \(isFree ? "admin" : "NAME") --output \(state.adminFolder)\n"
    }
}
