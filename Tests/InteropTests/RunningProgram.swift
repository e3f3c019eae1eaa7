import Foundation
import Glibc

/// A process that a test has started and that ends with it.
final class RunningProgram: Sendable {
    private let process: Process

    /// Starts `program`, writing what it prints to files; a full pipe would block it.
    init(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:],
        output: URL, errors: URL
    ) throws {
        process = Process()
        process.executableURL = program
        process.arguments = arguments
        // A simulation leaves its record among what the test throws away, not with the user's own.
        let runs = output.deletingLastPathComponent().appending(path: "runs").path
        process.environment = ProcessInfo.processInfo.environment
            .merging(["TRIBUTARY_RUNS": runs]) { $1 }.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        for file in Set([output, errors]) { try Data().write(to: file) }
        let outputHandle = try FileHandle(forWritingTo: output)
        process.standardOutput = outputHandle
        process.standardError =
            errors == output ? outputHandle : try FileHandle(forWritingTo: errors)
        try process.run()
    }

    var identifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// Sends a signal, unless the process has ended.
    func signal(_ number: Int32) {
        if process.isRunning { kill(process.processIdentifier, number) }
    }

    /// Waits for the end.
    ///
    /// - Returns: the exit status, or minus the number of the signal that ended it.
    /// - Throws: `Unexpected` after killing a process that takes longer than `seconds`.
    func end(within seconds: Double) async throws -> Int32 {
        do {
            try await wait(for: "the end of process \(identifier)", seconds: seconds) {
                !process.isRunning
            }
        } catch {
            signal(SIGKILL)
            throw error
        }
        let status = process.terminationStatus
        return process.terminationReason == .exit ? status : -status
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
