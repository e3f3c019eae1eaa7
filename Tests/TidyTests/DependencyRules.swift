/// The direction of dependency, read from the import lines.
enum DependencyRules {
    /// Modules that only these targets may import.
    private static let owners: [(module: String, owners: Set<String>, why: String)] = [
        ("COpenSSL", ["Cryptography", "TLSClient"], "others use Cryptography or TLSClient"),
        ("COpenBLAS", ["Kernels"], "others use Kernels"),
        ("CKernels", ["Kernels"], "others use Kernels"),
        ("CProtobufC", ["Wire", "ModelFormats"], "others use Wire or ModelFormats"),
        ("CMessages", ["Wire", "ModelFormats"], "others use Wire or ModelFormats"),
        ("CJansson", ["Provenance"], "others use Provenance"),
        ("CTOML", ["Configuration"], "others use Configuration"),
        ("GRDB", ["Registry"], "SQL stays behind Registry"),
        ("NIO", ["CoordinatorService", "Dashboard"], "event loops stay in what listens"),
        (
            "ArgumentParser",
            ["Console", "tributary-coordinator", "tributary-agent", "tributary-verify"],
            "arguments are parsed in the programs"
        ),
    ]

    private static let pure: Set = [
        "Learning", "UpdateCodec", "Privacy", "Aggregation", "Rounds", "AgentSession",
        "Simulation",
    ]

    /// All a pure target may import besides pure ones; of Glibc, the mathematics.
    private static let pureImports: Set = ["Federation", "Kernels", "Glibc", "Synchronization"]

    /// A pure target that may import one which is not, for what of it is arithmetic.
    private static func isException(_ module: String, in target: String) -> Bool {
        // Partitions; its caller opens the files.
        target == "Simulation" && module == "DataSets"
    }

    /// Clocks and randomness that a pure target would get without an import of ours.
    private static let impureTypes: Set = [
        "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator",
    ]
    /// Functions of Glibc and Swift that reach a clock, socket, file or terminal.
    private static let impureCalls: Set = [
        "clock_gettime", "gettimeofday", "time", "sleep", "usleep", "nanosleep", "socket",
        "connect",
        "open", "fopen", "getenv", "getrandom", "random", "rand", "print", "readLine",
    ]
    /// Methods that draw from the system when they are given no generator.
    private static let impureMethods: Set = ["shuffled", "shuffle", "randomElement"]

    private static let withoutFoundation = pure.union([
        "Federation", "Configuration", "Kernels", "DataSets", "ModelFormats", "Cryptography",
        "TLSClient", "Provenance", "Telemetry", "Verification", "Wire", "AgentService",
        "AdminConsole", "Console",
        "tributary-agentd",
        "tributary-agent", "tributary-verify",
    ])

    /// What a target must not reach, over the imports of our own targets.
    private static let unreachable: [(targets: Set<String>, modules: [String])] = [
        (
            ["AgentService", "tributary-agentd"],
            ["NIO", "GRDB", "Hummingbird", "ArgumentParser", "Foundation"]
        ),
        (["tributary-agent", "tributary-verify"], ["NIO", "GRDB", "Hummingbird"]),
    ]

    /// NIOCore, FoundationEssentials and the like count as NIO and Foundation.
    private static func isPart(_ module: String, of family: String) -> Bool {
        ["NIO", "Hummingbird", "Foundation"].contains(family)
            ? module.hasPrefix(family) : module == family
    }

    static func violations(_ files: [ProjectFile]) -> [Violation] {
        let sources = files.filter(\.isSource)
        return sources.flatMap { file in
            file.imports.compactMap { line in
                refusal(of: line.module, in: file.target ?? "").map {
                    Violation(file, line: line.line, $0)
                }
            } + impurities(in: file)
        } + reached(sources)
    }

    private static func refusal(of module: String, in target: String) -> String? {
        if target == "Federation" { return "Federation imports nothing" }
        for rule in owners where isPart(module, of: rule.module) && !rule.owners.contains(target) {
            return "\(module) is imported only by "
                + rule.owners.sorted().joined(separator: ", ") + ": \(rule.why)"
        }
        if withoutFoundation.contains(target), isPart(module, of: "Foundation") {
            return "\(target) does without \(module): a device would have to carry it"
        }
        if pure.contains(target), !pure.contains(module), !pureImports.contains(module),
            !isException(module, in: target)
        {
            return "\(target) is pure and must not import \(module)"
        }
        return nil
    }

    private static func impurities(in file: ProjectFile) -> [Violation] {
        guard let target = file.target, pure.contains(target) else { return [] }
        return file.tokens.indices.filter { isImpure(file.tokens, at: $0) }.map {
            Violation(
                file, line: file.tokens[$0].line,
                "\(target) is pure and must not use '\(file.tokens[$0].text)'")
        }
    }

    private static func isImpure(_ tokens: [SwiftToken], at index: Int) -> Bool {
        let word = tokens[index].text
        let before = index > 0 ? tokens[index - 1].text : ""
        let after = tokens[(index + 1)...].prefix(2).map(\.text)
        return impureTypes.contains(word)
            // A method or case of our own may share a name with a function of Glibc.
            || impureCalls.contains(word) && after.first == "("
                && ![".", "func", "case"].contains(before)
            || impureMethods.contains(word) && after == ["(", ")"] && before == "."
    }

    private static func reached(_ sources: [ProjectFile]) -> [Violation] {
        let graph = ImportGraph(sources)
        return unreachable.flatMap { rule in
            rule.targets.sorted().flatMap { target in
                graph.reachable(from: target).sorted { $0.key < $1.key }.filter { module, _ in
                    rule.modules.contains { isPart(module, of: $0) }
                }.map { module, way in
                    Violation(
                        path: "Sources/\(target)",
                        "\(target) must not reach \(module), and does: "
                            + way.joined(separator: " -> "))
                }
            }
        }
    }
}
