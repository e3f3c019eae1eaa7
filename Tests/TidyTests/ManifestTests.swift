import Testing

@Suite("Package.swift")
struct ManifestTests {
    @Test("declares every import, has a target for every folder and tests for every target")
    func manifest() throws {
        let manifest = try Manifest.read()
        try #require(manifest.targets.count > 20)
        expectNone(ManifestRules.undeclaredImports(Project.swiftFiles, manifest))
        expectNone(ManifestRules.strayTargets(Project.files, manifest))
        expectNone(ManifestRules.untested(Project.files, manifest))
    }

    private let sample = Manifest(targets: [
        Manifest.Target(name: "Federation", type: "regular", dependencies: []),
        Manifest.Target(
            name: "Wire", type: "regular", dependencies: [Manifest.Dependency(name: "Federation")]),
        Manifest.Target(name: "program", type: "executable", dependencies: []),
        Manifest.Target(name: "CThing", type: "regular", dependencies: []),
    ])

    @Test("the rule on imports sees one that is not declared")
    func undeclared() {
        let file = ProjectFile(
            "Sources/Wire/A.swift", "import Federation\nimport Glibc\nimport Logging\n")
        #expect(ManifestRules.undeclaredImports([file], sample).map(\.line) == [3])
    }

    @Test("the rule on folders sees a folder without target and a target without folder")
    func stray() {
        let files =
            ["Federation/A.swift", "Wire/A.swift", "Lost/A.swift", "program/main.swift"]
            .map { ProjectFile("Sources/\($0)", "let a = 1") } + [
                ProjectFile("Tests/Other/Package.swift", ""),
                ProjectFile("Tests/Other/Sources/A.swift", "let a = 1"),
            ]
        let rules = ManifestRules.strayTargets(files, sample)
        #expect(rules.map(\.path) == ["Lost", "Package.swift"])
        #expect(rules.last?.rule == "target CThing has no files")
    }

    @Test("the rule on tests sees a target whose test folder has no test")
    func untested() {
        let files = [
            ProjectFile("Sources/Federation/A.swift", "let a = 1"),
            ProjectFile("Sources/Wire/A.swift", "let a = 1"),
            ProjectFile("Sources/program/main.swift", "let a = 1"),
            ProjectFile("Sources/CThing/a.c", "int a;"),
            ProjectFile("Tests/FederationTests/ATests.swift", "@Test func a() {}"),
            ProjectFile("Tests/WireTests/Sample.swift", "let sample = 1"),
        ]
        #expect(ManifestRules.untested(files, sample).map(\.path) == ["Sources/Wire"])
    }
}
