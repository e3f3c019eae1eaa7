import Foundation
import Testing

/// The files that people write in this checkout, found from where this file is.
enum Project {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every file below the top level's own entries, sorted by path; build products and caches are elsewhere.
    static let files: [ProjectFile] = {
        let entries = names(in: root).filter {
            ["Sources", "Tests", "Benchmarks", "proto", ".ci"].contains($0)
                || $0.hasSuffix("-config")
                || ["Makefile", "README.md", "Package.swift"].contains($0)
        }
        return entries.flatMap(paths(below:)).sorted().compactMap { path in
            (try? Data(contentsOf: root.appending(path: path))).map {
                ProjectFile(path: path, bytes: [UInt8]($0))
            }
        }
    }()

    /// The Swift files of Sources and Tests, and the manifest.
    static let swiftFiles = files.filter(\.isSwift)

    /// The file at `path` from the top.
    static func file(_ path: String) throws -> ProjectFile {
        try #require(files.first { $0.path == path }, "there is no \(path)")
    }

    private static func paths(below path: String) -> [String] {
        let isLeaf = names(in: root.appending(path: path)).isEmpty
        if isLeaf { return [path] }
        return names(in: root.appending(path: path)).filter { $0 != "__pycache__" }
            .flatMap { paths(below: "\(path)/\($0)") }
    }

    private static func names(in directory: URL) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    }
}

/// One file, by its path from the top of the checkout.
struct ProjectFile: Sendable {
    let path: String
    let bytes: [UInt8]
    /// The tokens of a Swift file; empty for others.
    let tokens: [SwiftToken]

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
        tokens = path.hasSuffix(".swift") ? SwiftToken.tokens(of: bytes) : []
    }

    /// A sample for a rule's own test.
    init(_ path: String, _ text: String) { self.init(path: path, bytes: Array(text.utf8)) }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var name: String { String(path.split(separator: "/").last ?? "") }
    var isSwift: Bool { path.hasSuffix(".swift") }
    var isSource: Bool { path.hasPrefix("Sources/") }

    /// The SwiftPM target the file is in; nil outside Sources and Tests.
    var target: String? {
        let parts = path.split(separator: "/")
        guard parts.count > 2, parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
        return String(parts[1])
    }

    /// Whether the code holds `@name`.
    func hasAttribute(_ name: String) -> Bool {
        zip(tokens, tokens.dropFirst()).contains { $0.text == "@" && $1.text == name }
    }

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
}

/// A rule broken at a place.
struct Violation: Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    let rule: String

    init(_ file: ProjectFile, line: Int = 1, _ rule: String) {
        self.init(path: file.path, line: line, rule)
    }

    init(path: String, line: Int = 1, _ rule: String) {
        self.path = path
        self.line = line
        self.rule = rule
    }

    var description: String { "\(path):\(line): \(rule)" }
}

/// Fails the test once for each violation.
func expectNone(_ violations: [Violation], sourceLocation: SourceLocation = #_sourceLocation) {
    for violation in violations {
        Issue.record("\(violation)", sourceLocation: sourceLocation)
    }
}
