import Foundation
import Testing

/// Package.swift as SwiftPM reads it.
struct Manifest: Decodable {
    struct Target: Decodable {
        let name: String
        /// `regular`, `executable`, `system`, `test`.
        let type: String
        let dependencies: [Dependency]
    }

    /// The name of a target or of a product; here a product is named as the module it brings.
    struct Dependency: Decodable {
        let name: String

        init(name: String) { self.name = name }

        init(from decoder: any Decoder) throws {
            // {"byName": ["Federation", null]}, {"product": ["GRDB", "GRDB.swift", null, null]}
            let kinds = try decoder.singleValueContainer().decode([String: [Part]].self)
            guard case .name(let name)? = kinds.values.first?.first else {
                throw DecodingError.valueNotFound(
                    String.self, .init(codingPath: decoder.codingPath, debugDescription: "no name"))
            }
            self.name = name
        }

        private enum Part: Decodable {
            case name(String)
            case other

            init(from decoder: any Decoder) throws {
                let name = try? decoder.singleValueContainer().decode(String.self)
                self = name.map(Part.name) ?? .other
            }
        }
    }

    let targets: [Target]

    /// Asks SwiftPM, in a scratch directory of its own: this test may run inside `swift test`.
    static func read() throws -> Manifest {
        try withTemporaryDirectory { scratch in
            let swift = try run(
                "swift", "package", "--package-path", Project.root.path, "--scratch-path",
                scratch.path, "dump-package")
            try #require(swift.status == 0, "swift package dump-package: \(swift.errors)")
            return try JSONDecoder().decode(Manifest.self, from: swift.output)
        }
    }
}

/// Runs a program of the PATH to its end.
func run(_ command: String...) throws -> (status: Int32, output: Data, errors: String) {
    try withTemporaryDirectory { directory in
        // Files, not pipes: a full pipe would block the program.
        let files = try ["output", "errors"].map { name in
            let file = directory.appending(path: name)
            try Data().write(to: file)
            return file
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        return (
            process.terminationStatus, try Data(contentsOf: files[0]),
            String(decoding: try Data(contentsOf: files[1]), as: UTF8.self)
        )
    }
}

/// Calls `body` with a new directory and removes it.
func withTemporaryDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appending(
        path: "tributary-tidy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory)
}
