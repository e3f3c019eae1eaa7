import Testing

@Suite("Files")
struct FileTests {
    @Test("no file is called util, helper or manager")
    func names() { expectNone(FileRules.names(Project.files)) }

    @Test("no editor or merge left a file behind")
    func leftovers() { expectNone(FileRules.leftovers(Project.files)) }

    @Test("no two Swift files of one target have the same name")
    func duplicateNames() { expectNone(FileRules.duplicateNames(Project.files)) }

    @Test("no file is empty")
    func empty() { expectNone(FileRules.empty(Project.files)) }

    @Test("no source file is dead")
    func dead() { expectNone(FileRules.dead(Project.swiftFiles)) }

    @Test("the rule on names sees each bad name")
    func nameRule() {
        let paths = [
            "Sources/A/StringUtil.swift", "Tests/A/helpers.c", "Sources/A/BlobManager.swift",
        ]
        for path in paths {
            #expect(FileRules.names([ProjectFile(path, "")]).map(\.path) == [path])
        }
        #expect(FileRules.names([ProjectFile("Sources/A/Lease.swift", "")]).isEmpty)
    }

    @Test("the rule on leftovers sees a backup")
    func leftoverRule() {
        #expect(FileRules.leftovers([ProjectFile("Sources/A/B.swift.orig", "")]).count == 1)
        #expect(FileRules.leftovers([ProjectFile("Sources/A/B.swift", "")]).isEmpty)
    }

    @Test("the rule on duplicates sees two folders of one target")
    func duplicateRule() {
        let files = ["Sources/A/X/B.swift", "Sources/A/Y/B.swift", "Sources/C/B.swift"].map {
            ProjectFile($0, "")
        }
        #expect(FileRules.duplicateNames(files).map(\.path) == ["Sources/A/Y/B.swift"])
    }

    @Test("the rule on empty files sees blanks, comments alone and imports alone")
    func emptyRule() {
        func isEmpty(_ text: String, path: String = "Sources/A/B.swift") -> Bool {
            !FileRules.empty([ProjectFile(path, text)]).isEmpty
        }
        #expect(isEmpty(" \n"))
        #expect(isEmpty("// once there was code\n"))
        #expect(isEmpty("package import Federation\nimport Glibc\n"))
        #expect(isEmpty("", path: "proto/a.proto"))
        #expect(!isEmpty("import Glibc\nlet a = 1\n"))
        #expect(!isEmpty("# comment\n", path: "Makefile"))
    }

    @Test("the rule on dead files sees a file that only itself uses")
    func deadRule() {
        let files = [
            ProjectFile("Sources/A/Used.swift", "package func used() {}"),
            ProjectFile("Sources/A/Dead.swift", "package func unused() { unused(); used() }"),
            ProjectFile("Sources/A/Conformance.swift", "extension Int: P {}"),
            ProjectFile("Sources/b/main.swift", "let configuration = 1"),
            ProjectFile("Sources/c/Command.swift", "@main struct Command {}"),
        ]
        #expect(FileRules.dead(files).map(\.path) == ["Sources/A/Dead.swift"])
    }
}
