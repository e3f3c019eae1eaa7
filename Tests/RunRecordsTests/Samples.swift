import Foundation
import RunRecords

/// A record of two rounds.
func sampleRecord() -> RunRecord {
    var record = RunRecord(
        plan: PlanText(name: "beads", title: "Beads", sha256: "ab12", text: "[plan]\n"),
        options: RunOptions(
            plan: "beads.toml", data: "/data", agents: nil, rounds: 2, partition: "iid",
            examplesPerAgent: nil, samplingRate: nil, noiseMultiplier: nil, targetEpsilon: nil,
            delta: nil, seed: 1, cold: true, float32: false, measureEvery: 1),
        parameters: [
            "training.learning_rate": .number(0.1), "training.balances_classes": .truth(true),
            "data.format": .text("csv"),
        ],
        population: PopulationFacts(
            agents: 3, withoutExamples: 0, examplesDrawn: nil, trainExamples: 30, testExamples: 9),
        firstModel: FirstModelFacts(origin: "random", accuracy: 0.25, teacherAccuracy: nil),
        code: CodeVersion(version: "1", build: "cd34"),
        machine: Machine(
            processor: "a processor", instructionSet: "scalar", processors: 2, threads: 2,
            system: "Linux"),
        spent: Spent(startedUnix: 1_700_000_000))
    record.data = [
        RecordedSplit(
            name: "train", files: [RecordedSplit.File(path: "t.csv", bytes: 7, sha256: "ef56")])
    ]
    record.rounds = (1...2).map {
        RoundMetrics(
            round: $0, selected: 3, reported: 3, withinClip: 2, clippingNorm: 1.5,
            accuracy: 0.5 * Double($0) - 0.25, epsilon: nil, distillationKept: nil,
            wouldBeRefused: false, fault: nil)
    }
    record.summary.accuracyLast = 0.75
    record.summary.clientRounds = 6
    return record
}

/// Calls `body` with a new directory, which is gone afterwards.
func withTemporaryDirectory(_ body: (String) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory
        .appending(path: "tributary-runs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory.path)
}
