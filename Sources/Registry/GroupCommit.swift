import Federation
import GRDB
import Provenance
import Synchronization

/// Commands that wait for the disk together: those that arrive while one commit is on its way share the next.
///
/// A commit takes the disk a moment, however little it writes; thousands of agents that check in would otherwise wait for
/// one another. Each command is still whole or not at all, and returns when it has reached the disk.
final class GroupCommit: Sendable {
    /// Commands of one commit; more wait for the next, so that none waits long.
    private static let mostCommands = 256

    private struct Command: Sendable {
        let run: @Sendable (Database) throws -> Void
        /// Tells its caller how it ended; without an error it is on the disk.
        let end: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var commands: [Command] = []
        var isRunning = false
    }

    private let database: any DatabaseWriter
    private let log: LogSigner
    private let files: LogFiles?
    private let state = Mutex(State())

    init(_ database: any DatabaseWriter, log: LogSigner, files: LogFiles?) {
        self.database = database
        self.log = log
        self.files = files
    }

    /// Runs `body` whole or not at all, perhaps in one transaction with other commands, and returns when it is durable.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        let outcome = Outcome<Value>()
        try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Void, any Error>) in
            enqueue(
                Command(
                    run: { outcome.value = try body($0) },
                    end: { error in
                        if let error {
                            continuation.resume(throwing: error)
                        } else {
                            continuation.resume()
                        }
                    }))
        }
        guard let value = outcome.value else {
            throw Fault(.internal, "a transaction ended without a result")
        }
        return value
    }

    private func enqueue(_ command: Command) {
        let begins = state.withLock { state in
            state.commands.append(command)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if begins { begin() }
    }

    private func begin() {
        database.asyncWriteWithoutTransaction { db in
            let commands = self.state.withLock { state in
                let next = Array(state.commands.prefix(Self.mostCommands))
                state.commands.removeFirst(next.count)
                return next
            }
            let errors = self.commit(commands, in: db)
            for (command, error) in zip(commands, errors) { command.end(error) }
            let goesOn = self.state.withLock { state in
                state.isRunning = !state.commands.isEmpty
                return state.isRunning
            }
            if goesOn { self.begin() }
        }
    }

    /// Commits `commands` together.
    ///
    /// - Returns: what kept each from happening; nil for those that are durable.
    private func commit(_ commands: [Command], in db: Database) -> [(any Error)?] {
        var errors: [(any Error)?] = []
        do {
            var hasAppended = false
            try db.inTransaction(.immediate) {
                let before = try logSize(in: db)
                for command in commands { errors.append(try attempt(command, in: db)) }
                hasAppended = try logSize(in: db) > before
                if hasAppended { try storeCheckpoint(signedBy: log, in: db) }
                return .commit
            }
            // What was committed stands, whether or not its readers can be shown it yet: the next event, or the next open,
            // writes what is missing.
            if hasAppended { try? files?.follow(db) }
            return errors
        } catch {
            // Nothing of it stays; a command that failed before keeps its own reason.
            return commands.indices.map { $0 < errors.count ? errors[$0] ?? error : error }
        }
    }

    /// Runs one of several commands, and takes back what it did when it throws.
    ///
    /// - Returns: why it did not happen.
    /// - Throws: what ended the whole transaction, such as a full disk.
    private func attempt(_ command: Command, in db: Database) throws -> (any Error)? {
        do {
            try db.inSavepoint {
                try command.run(db)
                return .commit
            }
            return nil
        } catch {
            guard db.isInsideTransaction else { throw error }
            return error
        }
    }
}

/// What a command returns, on its way from the thread that writes.
private final class Outcome<Value: Sendable>: Sendable {
    private let stored = Mutex<Value?>(nil)

    var value: Value? {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}
