import Foundation

/// The fault simulation as a process of its own: it needs one thread, and hashes that are the same every time.
enum SimulatedWorlds {
    struct Finished {
        let status: Int32
        /// What it printed, without the last end of line.
        let output: String

        var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
    }

    /// Runs worlds, and returns when they have ended, blocking no thread meanwhile.
    static func run(_ arguments: [String]) async throws -> Finished {
        let file = URL(filePath: NSTemporaryDirectory())
            .appending(path: "tributary-worlds-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = try program()
        process.arguments = arguments
        process.standardOutput = try FileHandle(forWritingTo: file)
        try await ended(process)
        let output = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        return Finished(
            status: process.terminationStatus,
            output: output.trimmingCharacters(in: .newlines))
    }

    private static func ended(_ process: Process) async throws {
        try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
    }

    /// Beside the test bundle.
    private static func program() throws -> URL {
        let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let root = URL(filePath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let candidates = [
            bundle.deletingLastPathComponent(), root.appending(path: ".build/release"),
        ]
        .map { $0.appending(path: "FaultSimulation") }
        for candidate in candidates
        where FileManager.default.isExecutableFile(atPath: candidate.path) {
            return candidate
        }
        throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: candidates[0].path])
    }
}
