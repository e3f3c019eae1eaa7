import Federation
import Foundation

/// Runs worlds by their seeds and tells which of them went wrong, one line each.
@main
enum FaultSimulation {
    static func main() async throws {
        let count: Workers.Count
        do {
            let words = Array(CommandLine.arguments.dropFirst())
            let arguments = try Arguments(words)
            guard Hashing.isDeterministic else { return try Hashing.runAgain() }
            count =
                arguments.workers > 1
                ? try Workers.run(arguments.workers, arguments: words + ["--workers", "1"])
                : try await run(arguments)
        } catch let fault as Fault {
            say(fault.description)
            exit(2)
        }
        say("\(count.passed) passed, \(count.failed) failed")
        if count.failed > 0 { exit(1) }
    }

    private static func run(_ arguments: Arguments) async throws -> Workers.Count {
        let directory = NSTemporaryDirectory() + "tributary-faults-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let template = try await Template(
            in: directory, agents: 6, logLevel: arguments.logLevel)
        return try run(arguments, template)
    }

    /// Apart from what waits: all of this happens on the one thread that calls it.
    private static func run(
        _ arguments: Arguments, _ template: Template
    ) throws(Fault) -> Workers.Count {
        var count = Workers.Count()
        for seed in arguments.ownSeeds {
            let scenario = try Scenario(
                seed: seed, template: template, plantedBug: arguments.plantedBug,
                journal: arguments.hasJournal ? { say($0) } : nil)
            let outcome = scenario.run()
            if arguments.hasJournal {
                say("trace \(String(outcome.trace, radix: 16)): \(outcome.summary)")
            }
            guard let first = outcome.violations.first else {
                count.passed += 1
                continue
            }
            count.failed += 1
            say("seed \(seed) failed: \(first); replay: make faults SEEDS=\(seed)-\(seed)")
        }
        return count
    }
}

/// Writes a line at once, for whoever waits for it.
func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
