import Federation
import Foundation

/// A plan over four features and three classes that trains in a moment: 70 parameters, a lattice of 72 coordinates.
struct TinyPlan {
    var name = "tiny"
    /// Nil: the plan's own name.
    var population: String?
    var privacy: String? = TinyPlan.privacy()
    /// What `[clipping]` says beside the norm.
    var clipping = ""
    var agents = 3
    var minimum = 2
    var hidden = 8
    /// As with what follows, longer than any machine takes; who waits for its end says less.
    var selectionSeconds = 60.0
    var reportSeconds = 60.0
    var leaseSeconds = 15.0
    var maxAccuracyDrop = 1.0
    /// Below, the teacher sees its 96 public examples this often; large numbers make preparing slow.
    var teacherEpochs = 4
    /// How much the labels count beside the teacher.
    var alpha = 0.5
    var postRoundEpochs = 0
    /// `[schedule]` or `[retention]`, or both.
    var schedule = ""

    static let parameters = 70
    static let latticeDimension = 72
    static let maxExamples: UInt64 = 1000

    /// Everybody takes part, and the noise is so small that a round keeps its accuracy.
    static func privacy(
        noise: Double = 0.05, agents: Int = 3, samplingRate: Double? = nil,
        maxEpsilon: Double? = nil, localNoise: Double? = nil
    ) -> String {
        """
        [privacy]
        noise_multiplier = \(noise)
        delta = 1e-3
        sampling = "\(samplingRate == nil ? "everyone" : "poisson")"
        \(samplingRate.map { "sampling_rate = \($0)" } ?? "")
        agents = \(agents)
        \(maxEpsilon.map { "max_epsilon = \($0)" } ?? "")
        \(localNoise.map { "local_noise_multiplier = \($0)" } ?? "")
        """
    }

    var text: String {
        """
        [plan]
        name = "\(name)"
        title = "A tiny plan"
        population = "\(population ?? name)"
        [data]
        format = "csv"
        file = "examples.csv"
        label_column = "label"
        features = 4
        classes = 3
        [[model.layers]]
        units = \(hidden)
        [[model.layers]]
        units = 3
        [training]
        batch_size = 8
        learning_rate = 0.05
        [teacher]
        hidden = [16]
        epochs = \(teacherEpochs)
        batch_size = 8
        learning_rate = 0.05
        [distillation]
        alpha = \(alpha)
        post_round_epochs = \(postRoundEpochs)
        epochs = 4
        batch_size = 8
        learning_rate = 0.05
        [round]
        agents = \(agents)
        minimum = \(privacy == nil ? minimum : 0)
        selection_seconds = \(selectionSeconds)
        report_seconds = \(reportSeconds)
        lease_seconds = \(leaseSeconds)
        max_examples = \(TinyPlan.maxExamples)
        [clipping]
        norm = 1
        \(clipping)
        [server]
        [sealing]
        max_accuracy_drop = \(maxAccuracyDrop)
        \(privacy ?? "")
        \(schedule)

        """
    }

    /// Examples that a line could separate: class c has its feature c raised.
    static func examples(_ count: Int, seed: UInt64) -> String {
        var random = SeededRandom(seed: seed)
        var text = "a,b,c,d,label\n"
        for index in 0..<count {
            let label = index % 3
            let features = (0..<4).map { feature in
                let noise = Double(random.next() >> 11) * 0x1p-53
                return String(noise + (feature == label ? 1.5 : 0))
            }
            text += features.joined(separator: ",") + ",\(label)\n"
        }
        return text
    }
}

/// A directory of a test's own, removed with everything in it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "tributary-coordinator-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // A registry that is just closing removes files of its own, over which a removal stumbles.
        for _ in 0..<10 where FileManager.default.fileExists(atPath: path) {
            do { try FileManager.default.removeItem(atPath: path) } catch { usleep(20_000) }
        }
    }

    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file, and the directories it needs, and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let path = file(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }
}
