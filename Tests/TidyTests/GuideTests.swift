import Testing

@Suite("The guides and the catalogues")
struct GuideTests {
    /// Blocks of commands that no test runs; each says why.
    private static let notRun = [
        "README.md": 4,
        "Sources/developer.md": 3,
        "agent-config/device-owner.md": 2,
        "coordinator-config/guides/admin.md": 3,
        "coordinator-config/guides/auditor.md": 2,
        "coordinator-config/guides/plans.md": 1,
    ]

    @Test("every block of commands is run, or says why not")
    func commands() {
        expectNone(GuideRules.blocksNotRun(Project.files, allowed: Self.notRun))
    }

    @Test("every link leads somewhere")
    func links() {
        expectNone(
            GuideRules.brokenLinks(Project.files, paths: Set(Project.files.map(\.path))))
    }

    @Test("every make target that a guide names exists")
    func targets() throws {
        let makefile = try Project.file("Makefile")
        for guide in Project.files.filter(GuideRules.isGuide) {
            let missing = DocumentRules.missingTargets(readme: guide, makefile: makefile)
            // What the Makefile says of itself is another test's.
            expectNone(missing.filter { $0.path == guide.path })
        }
    }

    @Test("every library has a catalogue, whose example a test runs")
    func examples() { expectNone(GuideRules.untestedExamples(Project.files)) }

    @Test("the rule on commands sees one more, one fewer, and a reason that is none")
    func commandRule() {
        let mark = "<!-- test: not run: it would need another machine -->\n"
        func found(_ text: String, allowed: Int) -> [Int] {
            GuideRules.blocksNotRun(
                [ProjectFile("a-config/a.md", text)], allowed: ["a-config/a.md": allowed]
            ).map(\.line)
        }
        #expect(found(mark, allowed: 1) == [])
        #expect(found("\n" + mark + mark, allowed: 1) == [1])
        #expect(found("", allowed: 1) == [1])
        #expect(found("\n<!-- test: not run: no -->\n", allowed: 1) == [2])
    }

    @Test("the rule on links follows steps up, folders and anchors, and lets the web be")
    func linkRule() {
        let text = """
            [a](b.md) ![b](../c/d.png) [c](#here)
            [d](https://example.org) [e](../c) [f](b.md#there) [g](gone.md) [h](../c/gone.png)
            """
        let files = [ProjectFile("x/a.md", text)]
        let found = GuideRules.brokenLinks(files, paths: ["x/a.md", "x/b.md", "c/d.png"])
        #expect(found.map(\.line) == [2, 2])
        #expect(found.map(\.rule).contains("the link leads to gone.md, which is not there"))
    }

    @Test("the rule on examples sees a library without one, and one that no test has")
    func exampleRule() {
        let source = ProjectFile("Sources/A/B.swift", "struct B {}")
        let program = ProjectFile("Sources/c/main.swift", "print(1)")
        let catalogue = ProjectFile(
            "Sources/A/A.docc/A.md", "# ``A``\n\n```swift\nlet a = 1\nlet b = a\n```\n")
        func found(_ test: String) -> [Int] {
            GuideRules.untestedExamples([
                source, program, catalogue,
                ProjectFile("Tests/ATests/WorkedExampleTests.swift", test),
            ]).map(\.line)
        }
        #expect(found("func f() {\n    let a = 1\n    let b = a\n}\n") == [])
        #expect(found("func f() {\n    let a = 1\n\n    let b = a\n}\n") == [3])
        #expect(GuideRules.untestedExamples([source, program]).count == 1)
        let empty = ProjectFile("Sources/A/A.docc/A.md", "# ``A``\n")
        #expect(GuideRules.untestedExamples([source, empty]).count == 1)
    }
}
