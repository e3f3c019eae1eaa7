import Foundation

/// Where the checkout, the programs under test and the third-party tools are.
enum Checkout {
    /// The package's directory; symbolic links in the path to this file are followed.
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let protoDirectory = root.appending(path: "proto").path
    static let auditor = root.appending(path: "Tests/InteropTests/auditor.sh")

    static func script(_ name: String) -> String {
        root.appending(path: "Tests/InteropTests/python/\(name)").path
    }

    /// A program of the Python venv.
    static func venv(_ name: String) throws -> URL {
        let program = root.appending(path: ".venv/bin/\(name)")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw Missing(what: program.path, command: "make deps")
        }
        return program
    }

    /// Directories that may hold the programs: the one that the environment names, the test bundle's, the release build.
    fileprivate static let programDirectories: [URL] = {
        if let named = ProcessInfo.processInfo.environment["TRIBUTARY_PROGRAMS"] {
            return [URL(filePath: named)]
        }
        let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return [bundle.deletingLastPathComponent(), root.appending(path: ".build/release")]
    }()
}

/// One of this project's programs.
enum Program: String {
    case coordinator = "tributary-coordinator"
    case daemon = "tributary-agentd"
    case agent = "tributary-agent"
    case verifier = "tributary-verify"

    func located() throws -> URL {
        let candidates = Checkout.programDirectories.map { $0.appending(path: rawValue) }
        for candidate in candidates
        where FileManager.default.isExecutableFile(atPath: candidate.path) {
            return candidate
        }
        throw Missing(what: candidates.map(\.path).joined(separator: " or "), command: "make build")
    }
}

/// Something that has to be made before these tests can run.
struct Missing: Error, CustomStringConvertible {
    let what: String
    let command: String

    var description: String { "\(what) is missing: run `\(command)`" }
}

/// What a program left when it ended.
struct Finished: CustomStringConvertible {
    let command: String
    let status: Int32
    let output: String
    let errors: String

    /// What it said, on either stream.
    var words: String { output + errors }

    var description: String { "`\(command)` ended with \(status)\n\(output)\(errors)" }

    /// This, when the program succeeded.
    func succeeded() throws -> Finished {
        guard status == 0 else { throw Unexpected(description) }
        return self
    }
}

/// Something did not happen, or not in time.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Runs a program to its end, and ends it when it takes longer than `seconds`.
///
/// - Parameter environment: changes to this process's environment.
func run(
    _ program: URL, _ arguments: [String], environment: [String: String] = [:],
    seconds: Double = 60
) async throws -> Finished {
    try await withTemporaryDirectory { directory in
        let process = try RunningProgram(
            program, arguments, environment: environment,
            output: directory.appending(path: "output"), errors: directory.appending(path: "errors")
        )
        let status = try await process.end(within: seconds)
        return Finished(
            command: "\(program.lastPathComponent) \(arguments.joined(separator: " "))",
            status: status, output: try text(of: directory.appending(path: "output")),
            errors: try text(of: directory.appending(path: "errors")))
    }
}

/// Runs one of this project's programs to its end.
func run(
    _ program: Program, _ arguments: String..., environment: [String: String] = [:]
) async throws -> Finished {
    try await run(program.located(), arguments, environment: environment)
}

/// Runs a Python script of this folder with the venv's interpreter.
func run(script: String, _ arguments: String...) async throws -> Finished {
    try await run(Checkout.venv("python"), [Checkout.script(script)] + arguments)
}

/// Runs a statement of SQL in a coordinator's registry, as somebody who has the file but no key could.
func changeRegistry(_ file: String, _ statement: String) async throws {
    let script = """
        import sqlite3, sys
        with sqlite3.connect(sys.argv[1]) as store:
            store.execute(sys.argv[2])
        """
    _ = try await run(Checkout.venv("python"), ["-c", script, file, statement]).succeeded()
}

func text(of file: URL) throws -> String {
    String(decoding: try Data(contentsOf: file), as: UTF8.self)
}

/// Calls `body` with a new directory and removes it.
func withTemporaryDirectory<Result>(
    _ body: (URL) async throws -> Result
) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory
        .appending(path: "tributary-interop-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory)
}

/// Looks again and again until `condition` holds.
///
/// - Throws: `Unexpected` with `what` when it does not within `seconds`.
func wait(
    for what: String, seconds: Double = 60, until condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw Unexpected("waited \(seconds) s in vain for this: \(what)")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}
