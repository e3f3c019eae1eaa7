import Testing

@Suite("Wording")
struct WordingTests {
    @Test("code has no forced try, no unchecked Sendable outside the owners, nothing public")
    func escapeHatches() { expectNone(WordingRules.escapeHatches(Project.swiftFiles)) }

    @Test("nothing is left marked as unfinished")
    func unfinishedWork() { expectNone(WordingRules.unfinishedWork(Project.files)) }

    @Test("nothing names a path of the machine it was written on")
    func machinePaths() { expectNone(WordingRules.machinePaths(Project.files)) }

    private func hatches(_ text: String, in path: String = "Sources/Rounds/A.swift") -> Int {
        WordingRules.escapeHatches([ProjectFile(path, text)]).count
    }

    @Test("the rule on escape hatches sees each of them, in code only")
    func escapeHatchRule() {
        #expect(hatches("let a = try! b()") == 1)
        #expect(hatches("let a = \"\\(try! b())\"") == 1)
        #expect(hatches("// try! b()\nlet a = \"try!\"; try? b(); try !c") == 0)
        #expect(hatches("final class A: @unchecked Sendable {}") == 1)
        #expect(hatches("class A: @unchecked Sendable {}", in: "Sources/Registry/A.swift") == 0)
        #expect(hatches("class A: @unchecked Sendable {}", in: "Tests/RegistryTests/A.swift") == 1)
        #expect(hatches("public struct A {}\n  public static let b = 1\nopen class C {}") == 3)
        #expect(hatches("public import Federation") == 1)
        #expect(hatches("public struct A {}", in: "Tests/RoundsTests/A.swift") == 0)
        #expect(hatches("case .public: let open = 1; package struct A {}; a.open(\"x\")") == 0)
    }

    @Test("the rule on unfinished work sees the marks in any file, as words")
    func unfinishedRule() {
        let mark = "TO" + "DO"
        func found(_ text: String) -> [Int] {
            WordingRules.unfinishedWork([ProjectFile("Makefile", text)]).map(\.line)
        }
        #expect(found("all:\n# \(mark) later") == [2])
        #expect(found("fatalError(\"\(mark): this\")") == [1])
        #expect(found("FIX" + "ME") == [1])
        #expect(found("\(mark)S, \(mark.lowercased()), MAS\(mark)N") == [])
    }

    @Test("the rule on paths sees absolute ones of a machine, and no others")
    func machinePathRule() {
        func found(_ text: String) -> [Int] {
            WordingRules.machinePaths([ProjectFile("README.md", text)]).map(\.line)
        }
        for folder in ["work", "root", "home"] {
            #expect(found("fine\ncd \"/\(folder)/x\"") == [2])
            #expect(found("/\(folder)/x") == [1])
            #expect(found("uri://fleet/\(folder)/a ./\(folder)/b ${DIR}/\(folder)/c") == [])
        }
        #expect(found("/" + "tmp/mini/x") == [1])
        #expect(found("/var/lib/tributary /tmp/x") == [])
    }
}
