/// One `import` line.
struct Import: Equatable, Sendable {
    let module: String
    let line: Int
}

extension ProjectFile {
    /// What the file imports, attributes, access levels and single symbols aside.
    var imports: [Import] {
        tokens.indices.compactMap { index in
            guard tokens[index].text == "import", isStatement(at: index) else { return nil }
            let line = tokens[index].line
            let words = tokens[(index + 1)...].prefix { $0.line == line }.map(\.text)
            let kinds: Set = [
                "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
            ]
            guard let module = words.first(where: { !kinds.contains($0) }) else { return nil }
            return Import(module: module, line: line)
        }
    }

    /// Whether only attributes and access levels precede the word on its line.
    private func isStatement(at index: Int) -> Bool {
        let modifiers: Set = [
            "@", "testable", "preconcurrency", "_exported", "_implementationOnly", "package",
            "public", "internal", "fileprivate", "private", ";",
        ]
        return tokens[..<index].reversed().prefix { $0.line == tokens[index].line }
            .allSatisfy { modifiers.contains($0.text) }
    }
}

/// What each target imports, and what that brings in.
struct ImportGraph {
    private(set) var direct: [String: Set<String>] = [:]

    /// - Parameter files: Swift files; those outside a target are left out.
    init(_ files: [ProjectFile]) {
        for file in files {
            guard let target = file.target else { continue }
            direct[target, default: []].formUnion(file.imports.map(\.module))
        }
    }

    /// Every module that `target` imports, over the imports of our own targets, with the way there.
    func reachable(from target: String) -> [String: [String]] {
        var ways: [String: [String]] = [:]
        var open = [(module: target, way: [target])]
        while let (module, way) = open.popLast() {
            for next in direct[module, default: []] where ways[next] == nil {
                ways[next] = way + [next]
                open.append((next, way + [next]))
            }
        }
        return ways
    }
}
