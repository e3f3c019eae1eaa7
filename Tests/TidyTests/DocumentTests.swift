import Testing

@Suite("The README and the Makefile")
struct DocumentTests {
    @Test("every make target that is written about exists")
    func targets() throws {
        expectNone(
            DocumentRules.missingTargets(
                readme: try Project.file("README.md"), makefile: try Project.file("Makefile")))
    }

    @Test("every stop of the README's tour of a round exists")
    func tour() throws {
        expectNone(
            DocumentRules.lostTourStops(
                readme: try Project.file("README.md"), paths: Project.files.map(\.path)))
    }

    @Test("the rule on targets sees each that is missing, in code and not in prose")
    func targetRule() {
        let readme = ProjectFile(
            "README.md", "make a token, `make fly`\n```\nmake test  # all\nmake walk\n```\n")
        let makefile = ProjectFile(
            "Makefile", "X := 1\ndeps:\nbuild: deps\ndemo test lint:\ntest:\nlint:\n## make run\n")
        let found = DocumentRules.missingTargets(readme: readme, makefile: makefile)
        #expect(
            found.map(\.description) == [
                "README.md:1: the Makefile has no target 'fly'",
                "README.md:4: the Makefile has no target 'walk'",
                "Makefile:7: the Makefile has no target 'run'",
                "Makefile:1: the Makefile has no target 'demo'",
                "Makefile:1: the Makefile has no target 'clean'",
            ])
    }

    @Test("the rule on the tour sees a stop that is gone")
    func tourRule() {
        let readme = ProjectFile(
            "README.md", "1. `Rounds/CheckIn`: a\n2. `Wire`: b\n3. `Privacy/Noise`: c\n`Gone`\n")
        let paths = [
            "Sources/Rounds/CheckIn/A.swift", "Sources/Wireless/A.swift",
            "Sources/Privacy/Noise.swift",
        ]
        #expect(
            DocumentRules.lostTourStops(readme: readme, paths: paths).map(\.line) == [2])
    }
}
