import Foundation
import Glibc
import Synchronization

/// A process that a test has started and that ends with it.
///
/// Foundation's own starts none safely from a process with a thousand open files, which the tests beside it may have.
final class RunningProgram: Sendable {
    let identifier: Int32
    /// What `waitpid` said of its end.
    private let ended = Mutex<Int32?>(nil)

    /// Starts `program`, writing what it prints to files; a full pipe would block it.
    init(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:],
        output: URL, errors: URL
    ) throws {
        // A simulation leaves its record among what the test throws away, not with the user's own.
        let runs = output.deletingLastPathComponent().appending(path: "runs").path
        let variables = ProcessInfo.processInfo.environment
            .merging(["TRIBUTARY_RUNS": runs]) { $1 }.merging(environment) { $1 }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let writing = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.path, writing, 0o644)
        if errors == output {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 2, errors.path, writing, 0o644)
        }
        // Closing what is not open is no error, below the limit.
        for file in 3..<min(sysconf(Int32(_SC_OPEN_MAX)), 8192) {
            posix_spawn_file_actions_addclose(&actions, Int32(file))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var words = ([program.path] + arguments).map { strdup($0) } + [nil]
        var settings = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in words + settings { free(word) } }
        var started: pid_t = 0
        let failure = posix_spawn(
            &started, program.path, &actions, &attributes, &words, &settings)
        guard failure == 0 else {
            throw Unexpected("cannot start \(program.path): \(String(cString: strerror(failure)))")
        }
        identifier = started
    }

    var isRunning: Bool { status == nil }

    private var status: Int32? {
        ended.withLock { ended in
            var said: Int32 = 0
            if ended == nil, waitpid(identifier, &said, WNOHANG) == identifier { ended = said }
            return ended
        }
    }

    /// Sends a signal, unless the process has ended.
    func signal(_ number: Int32) {
        if isRunning { kill(identifier, number) }
    }

    /// Waits for the end.
    ///
    /// - Returns: the exit status, or minus the number of the signal that ended it.
    /// - Throws: `Unexpected` after killing a process that takes longer than `seconds`.
    func end(within seconds: Double) async throws -> Int32 {
        do {
            try await wait(for: "the end of process \(identifier)", seconds: seconds) {
                !isRunning
            }
        } catch {
            signal(SIGKILL)
            throw error
        }
        let said = status ?? 0
        return said & 0x7f == 0 ? said >> 8 & 0xff : -(said & 0x7f)
    }

    /// Asks the process to end.
    ///
    /// - Returns: as `end(within:)`.
    @discardableResult
    func stop(within seconds: Double = 20) async throws -> Int32 {
        signal(SIGTERM)
        return try await end(within: seconds)
    }
}
