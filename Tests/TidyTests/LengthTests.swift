import Testing

@Suite("Lengths")
struct LengthTests {
    @Test("no Swift file is longer than 400 lines")
    func files() { expectNone(LengthRules.longFiles(Project.swiftFiles)) }

    @Test("no function is longer than 60 lines")
    func functions() { expectNone(LengthRules.longFunctions(Project.swiftFiles)) }

    @Test("the rule on files sees the line after the last allowed")
    func fileRule() {
        let most = String(repeating: "//\n", count: 400)
        #expect(LengthRules.longFiles([ProjectFile("Sources/A/B.swift", most)]).isEmpty)
        let found = LengthRules.longFiles([ProjectFile("Sources/A/B.swift", most + "//\n")])
        #expect(found.map(\.line) == [401])
        #expect(LengthRules.longFiles([ProjectFile("Sources/A/b.c", most + "\n")]).isEmpty)
    }

    @Test(
        "the rule on functions sees a body of 61 lines however its signature is written",
        arguments: [
            "func long() {", "init?(a: Int = { 1 }()) throws(Fault) {", "deinit {",
            "subscript(i: Int) -> Int {", "var long: [String: Int] {",
            "func long<T>(\n a: T\n)\n async throws -> T\n where T: P\n{",
        ])
    func functionRule(signature: String) {
        func found(lines: Int) -> [Violation] {
            let own = signature.count { $0 == "\n" } + 2
            let body = String(repeating: "    let x = \"}\"\n", count: lines - own)
            return LengthRules.longFunctions([
                ProjectFile("Sources/A/B.swift", "struct S {\n\(signature)\n\(body)}\n}\n")
            ])
        }
        #expect(found(lines: 60).isEmpty)
        #expect(found(lines: 61).map(\.line) == [2])
    }

    @Test("the measure tells functions from requirements, calls and stored properties")
    func spans() {
        let text = """
            protocol P {
                func required(a: Int) -> Int
                var value: Int { get }
                init(b: Int)
            }
            struct S {
                var stored = 1
                var other: Int
                func one() { two { 3 } }
                init() { self.init(x: 1) }
            }
            """
        let spans = FunctionSpan.spans(in: SwiftToken.tokens(of: Array(text.utf8)))
        #expect(
            spans.map { "\($0.name) \($0.firstLine) \($0.lines)" } == [
                "value 3 1", "one 9 1", "init 10 1",
            ])
    }
}
