import Testing

@Suite("Direction of dependency")
struct DependencyTests {
    @Test("every import goes the way the layout says")
    func imports() { expectNone(DependencyRules.violations(Project.swiftFiles)) }

    private func found(_ target: String, _ text: String) -> [Violation] {
        DependencyRules.violations([ProjectFile("Sources/\(target)/A.swift", text)])
    }

    @Test(
        "the rule sees an import that only an owner may have",
        arguments: [
            ("Wire", "COpenSSL"), ("Learning", "COpenBLAS"), ("UpdateCodec", "CKernels"),
            ("CoordinatorService", "CProtobufC"), ("Registry", "CMessages"),
            ("AgentService", "CJansson"), ("AgentService", "CTOML"),
            ("CoordinatorService", "GRDB"), ("Registry", "NIOCore"),
            ("tributary-coordinator", "NIOPosix"), ("AdminConsole", "ArgumentParser"),
            ("Federation", "Glibc"), ("Privacy", "Wire"), ("Rounds", "Dispatch"),
            ("Aggregation", "Cryptography"), ("Wire", "FoundationEssentials"),
            ("tributary-verify", "Foundation"), ("Simulation", "Dispatch"),
            ("Learning", "DataSets"),
        ])
    func directRule(target: String, module: String) {
        #expect(found(target, "\nimport \(module)\n").map(\.line) == [2])
    }

    @Test(
        "the rule lets owners and neighbours be",
        arguments: [
            ("Cryptography", "COpenSSL"), ("Wire", "CMessages"), ("Registry", "GRDB"),
            ("CoordinatorService", "NIOSSL"), ("tributary-agent", "ArgumentParser"),
            ("Aggregation", "UpdateCodec"), ("Learning", "Glibc"), ("Registry", "Foundation"),
            ("Simulation", "DataSets"), ("Simulation", "Rounds"),
        ])
    func allowed(target: String, module: String) {
        #expect(found(target, "package import \(module)").isEmpty)
    }

    @Test("the rule sees clocks, files and hidden randomness in a pure target")
    func impurities() {
        #expect(found("Rounds", "let a = ContinuousClock.now").count == 1)
        #expect(found("AgentSession", "let fd = open(path, 0); case open(Int)").count == 1)
        #expect(found("Learning", "let a = rows.shuffled()").count == 1)
        #expect(found("Learning", "let a = rows.shuffled(using: &random), connect = 1").isEmpty)
        #expect(found("AgentSession", "func connect() { machine.connect() }").isEmpty)
        #expect(found("CoordinatorService", "let a = ContinuousClock.now").isEmpty)
    }

    @Test("the rule sees what a daemon reaches over other targets, and names the way")
    func reach() {
        let files = [
            ProjectFile("Sources/tributary-agentd/main.swift", "import AgentService"),
            ProjectFile("Sources/AgentService/A.swift", "import Rounding"),
            ProjectFile("Sources/Rounding/A.swift", "import Foundation\nimport struct Extra.B"),
            ProjectFile("Sources/Extra/A.swift", "@preconcurrency internal import Hummingbird"),
            ProjectFile("Sources/tributary-agent/A.swift", "import Rounding"),
        ]
        let rules = DependencyRules.violations(files).map(\.rule)
        #expect(rules.count == 5)
        #expect(
            rules.contains(
                "tributary-agentd must not reach Hummingbird, and does: tributary-agentd -> "
                    + "AgentService -> Rounding -> Extra -> Hummingbird"))
        #expect(rules.contains { $0.hasPrefix("tributary-agent must not reach Hummingbird") })
        #expect(!rules.contains { $0.hasPrefix("tributary-agent must not reach Foundation") })
    }

    @Test("imports are read with attributes, access levels and kinds, and only as statements")
    func importLines() {
        let text = """
            @testable import A
            package import struct B.C
            // import D
            let import_ = "import E"
            #if canImport(F)
            import F; import G
            #endif
            """
        #expect(
            ProjectFile("Sources/A/B.swift", text).imports == [
                Import(module: "A", line: 1), Import(module: "B", line: 2),
                Import(module: "F", line: 6),
            ])
    }
}
