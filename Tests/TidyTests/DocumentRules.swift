/// The README says what is true of the checkout.
enum DocumentRules {
    /// Targets that others call by name.
    private static let promised = ["deps", "build", "demo", "test", "lint", "clean"]

    /// `make` targets that the README, the Makefile's own help or the project's contract name and the Makefile lacks.
    static func missingTargets(readme: ProjectFile, makefile: ProjectFile) -> [Violation] {
        let targets = Set(
            makefile.lines.compactMap { line -> Substring? in
                guard let colon = line.firstIndex(of: ":"), line.first?.isLetter == true,
                    !line[colon...].hasPrefix(":=")
                else { return nil }
                return line[..<colon]
            })
        let help = makefile.lines.enumerated().filter { $0.element.hasPrefix("## ") }
            .flatMap { named(in: $0.element, at: $0.offset + 1, of: makefile) }
        let documented = commands(in: readme) + help + promised.map { ($0, 1, makefile) }
        return documented.filter { !targets.contains(Substring($0.name)) }.map {
            Violation($0.file, line: $0.line, "the Makefile has no target '\($0.name)'")
        }
    }

    private typealias Mention = (name: String, line: Int, file: ProjectFile)

    /// The targets of `make NAME` in the code of a Markdown text: its blocks and `spans`, not its prose.
    private static func commands(in readme: ProjectFile) -> [Mention] {
        var isBlock = false
        return readme.lines.enumerated().flatMap { offset, line -> [Mention] in
            if line.hasPrefix("```") {
                isBlock.toggle()
                return []
            }
            let spans = line.split(separator: "`", omittingEmptySubsequences: false)
            let code = isBlock ? [line] : spans.indices.filter { $0 % 2 == 1 }.map { spans[$0] }
            return code.flatMap { named(in: $0, at: offset + 1, of: readme) }
        }
    }

    private static func named(
        in code: Substring, at line: Int, of file: ProjectFile
    ) -> [Mention] {
        let words = code.split(separator: " ")
        return zip(words, words.dropFirst()).filter { $0.0 == "make" }.map {
            (String($0.1), line, file)
        }
    }

    /// Folders and files that the numbered tour of a round names and `Sources` does not have.
    static func lostTourStops(readme: ProjectFile, paths: [String]) -> [Violation] {
        readme.lines.enumerated().compactMap { offset, line in
            let parts = line.split(separator: "`", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0].hasSuffix(". "), parts[0].first?.isNumber == true
            else { return nil }
            let stop = "Sources/\(parts[1])"
            let exists = paths.contains { $0.hasPrefix("\(stop)/") || $0 == "\(stop).swift" }
            return exists
                ? nil
                : Violation(
                    readme, line: offset + 1, "the tour stops at \(stop), which is not there")
        }
    }
}
