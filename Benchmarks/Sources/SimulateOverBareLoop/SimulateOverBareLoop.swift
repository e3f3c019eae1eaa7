import Configuration
import Foundation

/// Measures `simulate` against a loop that does nothing but train the same students on one thread: the
/// share of the time that partition, encoding, aggregation, measurement, data and record take, and
/// what more threads do not bring.
///
/// usage: SimulateOverBareLoop PROGRAM PLAN FOLDER FILE; PROGRAM is tributary-coordinator, PLAN the
/// workload, FOLDER for what is made and deleted again, and FILE gets the result.
@main
struct SimulateOverBareLoop {
    /// Of the workload that other software is compared on.
    static let agents = 100
    static let selected = 10
    static let rounds = 50
    /// Each in turn, so that what else the machine does meets both.
    private static let runs = 7
    /// What `simulate` may take for each second of training.
    private static let asked = 1.25

    static func main() throws {
        let words = CommandLine.arguments
        guard words.count == 5 else {
            print("usage: SimulateOverBareLoop PROGRAM PLAN FOLDER FILE")
            exit(2)
        }
        let folder = URL(filePath: words[3]).appending(path: "simulate-\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let plan = try PlanFile.parse(
            [UInt8](try Data(contentsOf: URL(filePath: words[2]))), file: words[2])
        let examples = try WorkloadExamples(plan: plan, folder: folder)
        var loop = try BareLoop(plan: plan, examples: examples)
        let simulation = SimulateProgram(
            program: URL(filePath: words[1]), plan: words[2], data: folder)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        var (walls, limits, shares, together) = ([Double](), [Double](), [Double](), [Double]())
        var measuringTen: [Double] = []
        for _ in 0..<runs {
            let training = try loop.seconds()
            limits.append(training.wall / Double(cores))
            together.append(loop.seconds(onCores: cores))
            let before = processorSeconds(of: RUSAGE_CHILDREN)
            walls.append(try simulation.wallSeconds(measuring: 1))
            shares.append((processorSeconds(of: RUSAGE_CHILDREN) - before) / training.processor)
            measuringTen.append(try simulation.wallSeconds(measuring: 10))
        }
        let (wall, limit) = (median(walls), median(limits))
        print("processor time of the whole program over that of the loop: \(median(shares))")
        print(
            "simulate \(wall) s, the bare loop on one thread / \(cores) cores \(limit) s (medians of \(runs))"
        )
        print("ratio \(wall / limit), asked: at most \(asked)")
        let ten = median(measuringTen)
        print("with ten versions measured in place of the last: \(ten) s; ratio \(ten / limit)")
        let split = median(together)
        print("the bare loop split among \(cores) cores: \(split) s; ratio \(wall / split)")
        try write(wall, limit, to: URL(filePath: words[4]))
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// What other programs do counts little here, unlike in the time that passes.
    static func processorSeconds(of whom: __rusage_who) -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(whom.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// Puts the result among those of other benchmarks.
    private static func write(_ wall: Double, _ limit: Double, to file: URL) throws {
        var results: [String: Any] = [:]
        if let text = try? Data(contentsOf: file) {
            results = try JSONSerialization.jsonObject(with: text) as? [String: Any] ?? [:]
        }
        func rounded(_ value: Double) -> Double { (value * 1e4).rounded() / 1e4 }
        results["simulate_over_bare_loop"] = [
            "value": rounded(wall), "unit": "s", "limit": rounded(limit),
            "ratio": rounded(wall / limit),
        ]
        let text = try JSONSerialization.data(
            withJSONObject: results, options: [.prettyPrinted, .sortedKeys])
        try (text + [UInt8(ascii: "\n")]).write(to: file)
    }
}

/// `simulate`, as anybody runs it.
struct SimulateProgram {
    let program: URL
    let plan: String
    let data: URL

    /// What it says it took, of a run that it records.
    ///
    /// - Parameter versions: how many of those that the rounds leave are measured on the test data. What
    ///   others take for this workload is with the last one's; left to itself, `simulate` measures ten.
    func wallSeconds(measuring versions: Int) throws -> Double {
        let process = Process()
        let output = Pipe()
        process.executableURL = program
        process.arguments = [
            "simulate", plan, "--data", data.path, "--agents", "\(SimulateOverBareLoop.agents)",
            "--rounds", "\(SimulateOverBareLoop.rounds)", "--runs",
            data.appending(path: "runs").path,
            "--measure-every", "\(SimulateOverBareLoop.rounds / versions)", "--json",
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        struct Answer: Decodable { let wallSeconds: Double }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Answer.self, from: text).wallSeconds
    }
}
