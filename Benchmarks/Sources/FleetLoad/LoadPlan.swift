import Foundation

/// A plan whose model has as many parameters as wanted, and made-up rows for it.
struct LoadPlan: Sendable {
    let name: String
    let features: Int
    let hidden: Int
    /// Updates a round waits for.
    let agents: Int
    /// Seconds for which a round waits for updates.
    let reportSeconds: Int

    /// A model of a few thousand parameters.
    static func small(agents: Int) -> LoadPlan {
        LoadPlan(name: "small", features: 32, hidden: 64, agents: agents, reportSeconds: 120)
    }

    /// A model of `parameters` parameters, nearly all of them in one layer.
    static func wide(parameters: Int, agents: Int) -> LoadPlan {
        LoadPlan(
            name: "wide", features: 2048, hidden: parameters / 2048, agents: agents,
            reportSeconds: 1800)
    }

    var toml: String {
        """
        [plan]
        name = "\(name)"

        [data]
        format = "csv"
        file = "rows.csv"
        label_column = "label"
        features = \(features)
        classes = 3

        [[model.layers]]
        units = \(hidden)

        [[model.layers]]
        units = 3

        [training]
        learning_rate = 0.01

        [teacher]
        hidden = [16]
        epochs = 1
        learning_rate = 0.01

        [distillation]
        epochs = 1
        learning_rate = 0.001

        [round]
        agents = \(agents)
        minimum = \(agents)
        over_selection = 1.0
        selection_seconds = 120
        report_seconds = \(reportSeconds)
        lease_seconds = 120

        [clipping]
        norm = 1.0

        [server]
        momentum = 0

        [sealing]
        max_accuracy_drop = 1

        """
    }

    func writeRows(_ count: Int, seed: UInt64, to directory: URL) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        var text = (0..<features).map { "f\($0)" }.joined(separator: ",") + ",label\n"
        for row in 0..<count {
            let label = row % 3
            let values = (0..<features).map { feature in
                String(Double(next() % 1000) / 1000 + (feature % 3 == label ? 1 : 0))
            }
            text += values.joined(separator: ",") + ",\(label)\n"
        }
        try Data(text.utf8).write(to: directory.appending(path: "rows.csv"))
    }
}
