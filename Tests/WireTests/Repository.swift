import Foundation

/// The checkout that holds this file, and programs run in it.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    struct Failed: Error {
        let command: String
        let status: Int32
    }

    /// Runs a program of `PATH` in the root and returns what it writes to standard output.
    static func run(_ command: String..., input: Data = Data()) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = root
        let (toProcess, fromProcess) = (Pipe(), Pipe())
        process.standardInput = toProcess
        process.standardOutput = fromProcess
        try process.run()
        // Samples are shorter than a pipe's buffer, so that writing first cannot block for ever.
        toProcess.fileHandleForWriting.write(input)
        try toProcess.fileHandleForWriting.close()
        let output = fromProcess.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failed(
                command: command.joined(separator: " "), status: process.terminationStatus)
        }
        return output
    }
}
