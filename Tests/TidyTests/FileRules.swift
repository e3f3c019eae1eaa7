/// What a file may be called, and that it is there for something.
enum FileRules {
    static func names(_ files: [ProjectFile]) -> [Violation] {
        files.flatMap { file in
            ["util", "helper", "manager"].filter(file.name.lowercased().contains).map {
                Violation(file, "a file's name says what it decides; '\($0)' says nothing")
            }
        }
    }

    /// Leftovers of editors and merges.
    static func leftovers(_ files: [ProjectFile]) -> [Violation] {
        files.filter { file in
            [".orig", ".rej", ".bak", ".swp", ".tmp", "~"].contains(where: file.name.hasSuffix)
        }.map { Violation($0, "is a leftover: remove it") }
    }

    static func duplicateNames(_ files: [ProjectFile]) -> [Violation] {
        let swift = files.filter { $0.isSwift && $0.target != nil }
        let groups = Dictionary(grouping: swift) { "\($0.target ?? "")/\($0.name)" }
        return groups.values.filter { $0.count > 1 }.flatMap { group in
            group.dropFirst().map {
                Violation($0, "has the name of \(group[0].path), in the same target")
            }
        }.sorted { $0.path < $1.path }
    }

    static func empty(_ files: [ProjectFile]) -> [Violation] {
        files.compactMap { file in
            if file.bytes.allSatisfy({ $0 <= UInt8(ascii: " ") }) {
                return Violation(file, "is empty: remove it")
            }
            let imports = file.imports
            let isImportsOnly =
                file.isSwift && file.path != "Package.swift"
                && file.tokens.allSatisfy { token in imports.contains { $0.line == token.line } }
            return isImportsOnly ? Violation(file, "declares nothing: remove it") : nil
        }
    }

    private static let naming: Set = [
        "func", "var", "let", "struct", "class", "enum", "protocol", "actor", "typealias", "case",
    ]

    /// Source files of which no other file names anything. Names shared by chance hide a dead file; a file found is dead.
    static func dead(_ files: [ProjectFile]) -> [Violation] {
        let words = files.map { Set($0.tokens.map(\.text)) }
        var users: [String: Int] = [:]
        for word in words.joined() { users[word, default: 0] += 1 }
        return files.filter { file in
            guard file.isSource, file.name != "main.swift" else { return false }
            let names = zip(file.tokens, file.tokens.dropFirst()).filter {
                naming.contains($0.0.text)
            }.map { $0.1.text }
            return !file.hasAttribute("main") && !names.isEmpty
                && names.allSatisfy { users[$0, default: 0] <= 1 }
        }.map { Violation($0, "nothing it declares is used by another file") }
    }
}
