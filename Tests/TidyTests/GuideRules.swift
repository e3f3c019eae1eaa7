/// The README, the guides and the catalogues: what they point to is there, and what they show is run.
enum GuideRules {
    /// Documents with commands. `InteropTests` runs them.
    static func isGuide(_ file: ProjectFile) -> Bool {
        file.name.hasSuffix(".md") && !file.path.contains(".docc/")
            && !file.path.hasPrefix("Benchmarks/") && !file.path.hasPrefix("Tests/")
    }

    private static let mark = "<!-- test: not run: "

    /// Blocks of commands that no test runs, of each document.
    ///
    /// - Parameter allowed: how many there are, by path. One more is a decision, and so is one fewer.
    static func blocksNotRun(_ files: [ProjectFile], allowed: [String: Int]) -> [Violation] {
        files.filter(isGuide).flatMap { file -> [Violation] in
            let marked = file.lines.enumerated().filter { $0.element.contains(mark) }
            let unexplained = marked.filter { $0.element.split(separator: " ").count < 9 }.map {
                Violation(
                    file, line: $0.offset + 1, "say why the block is not run, and what checks it")
            }
            let expected = allowed[file.path, default: 0]
            guard marked.count != expected else { return unexplained }
            return unexplained + [
                Violation(
                    file,
                    "\(marked.count) blocks are not run, GuideTests knows of \(expected): run them, or say so there"
                )
            ]
        }
    }

    /// Links to files that are not there.
    ///
    /// - Parameter paths: of every file, from the top.
    static func brokenLinks(_ files: [ProjectFile], paths: Set<String>) -> [Violation] {
        let folders = Set(paths.flatMap(folders(of:)))
        return files.filter { $0.name.hasSuffix(".md") && !$0.path.contains(".docc/") }
            .flatMap { file in
                file.lines.enumerated().flatMap { offset, line in
                    targets(of: line).filter { target in
                        let path = resolved(target, from: file.path)
                        return !paths.contains(path) && !folders.contains(path)
                    }.map {
                        Violation(
                            file, line: offset + 1, "the link leads to \($0), which is not there")
                    }
                }
            }
    }

    /// The local targets of `[text](target)` in a line, without what follows `#`.
    private static func targets(of line: Substring) -> [String] {
        line.ranges(of: "](").compactMap { opening in
            let rest = line[opening.upperBound...]
            guard let end = rest.firstIndex(of: ")") else { return nil }
            let target = rest[..<end].prefix { $0 != "#" }
            return target.isEmpty || target.contains("://") ? nil : String(target)
        }
    }

    private static func resolved(_ target: String, from path: String) -> String {
        var parts = path.split(separator: "/").dropLast()
        for step in target.split(separator: "/") where step != "." {
            if step == ".." { parts = parts.dropLast() } else { parts.append(step) }
        }
        return parts.joined(separator: "/")
    }

    private static func folders(of path: String) -> [String] {
        let parts = path.split(separator: "/").dropLast()
        return parts.indices.map { parts[...$0].joined(separator: "/") }
    }

    /// Library targets without a catalogue, and examples of catalogues that no test runs: an example stands, line by line,
    /// in `WorkedExampleTests.swift` of the target's tests.
    static func untestedExamples(_ files: [ProjectFile]) -> [Violation] {
        let swift = files.filter { $0.isSwift && $0.isSource }
        let programs = Set(
            swift.filter { $0.name == "main.swift" || $0.hasAttribute("main") }.compactMap(\.target)
        )
        return Set(swift.compactMap(\.target)).subtracting(programs).sorted()
            .flatMap { target -> [Violation] in
                let path = "Sources/\(target)/\(target).docc/\(target).md"
                guard let catalogue = files.first(where: { $0.path == path }) else {
                    return [
                        Violation(path: path, "every library has a catalogue; this one is missing")
                    ]
                }
                let tests = files.first {
                    $0.path == "Tests/\(target)Tests/WorkedExampleTests.swift"
                }
                return untested(catalogue, tests: tests?.lines ?? [])
            }
    }

    private static func untested(_ catalogue: ProjectFile, tests: [Substring]) -> [Violation] {
        let examples = blocks(of: "swift", in: catalogue)
        let run = tests.map { $0.trimmed }
        if examples.isEmpty { return [Violation(catalogue, "shows no example in a swift block")] }
        return examples.filter { example in
            let wanted = example.lines.map { $0.trimmed }
            return !run.indices.contains { run[$0...].starts(with: wanted) }
        }.map {
            Violation(
                catalogue, line: $0.line,
                "no test runs this example: WorkedExampleTests.swift of the target must have its lines"
            )
        }
    }

    /// The contents of fenced blocks in a language, with the line each begins in.
    private static func blocks(
        of language: String, in file: ProjectFile
    ) -> [(line: Int, lines: [Substring])] {
        var found: [(line: Int, lines: [Substring])] = []
        var isInside = false
        for (offset, line) in file.lines.enumerated() {
            if line.hasPrefix("```") {
                isInside = !isInside && line == "```\(language)"
                if isInside { found.append((offset + 1, [])) }
            } else if isInside {
                found[found.count - 1].lines.append(line)
            }
        }
        return found
    }
}

extension Substring {
    /// Without blanks at its ends.
    fileprivate var trimmed: Substring {
        let start = firstIndex { $0 != " " } ?? endIndex
        let end = lastIndex { $0 != " " }.map(index(after:)) ?? start
        return self[start..<end]
    }
}
