import Foundation

/// A small plan and made-up data for it, so that a round takes well under a second.
struct ExamplePlan: Sendable {
    enum Format { case csv, idx }

    let name: String
    let format: Format
    /// Updates a round waits for.
    var agents = 2
    /// Passes over a device's rows in one round.
    var epochs = 1
    /// z of a private plan, whose every round waits for every agent.
    var noiseMultiplier: Double?
    /// z of the noise that its agents add themselves, where it is private.
    var localNoiseMultiplier = 0.0
    /// Whether its clipping norm adapts.
    var isAdaptive = false
    /// Pixels of an image's edge, of IDX files.
    var side = 6
    /// Units of each hidden layer.
    var hidden = [16]
    /// The share of its rows that a device never trains on.
    var heldOut = 0.0
    /// More lines of [training].
    var training = ""
    /// Updates that a round is content with at its deadline; nil: as many as it waits for.
    var minimum: Int?
    var reportSeconds = 60
    /// Seconds without a heartbeat after which a place lapses.
    var leaseSeconds = 20

    /// Rows of a CSV file. No round of it ends: three updates are wanted, and two agents are there.
    static let beads = ExamplePlan(name: "beads", format: .csv, agents: 3)
    /// The same, where the third agent is one in Python.
    static let guests = ExamplePlan(name: "guests", format: .csv, agents: 3)
    /// Images of 6 x 6 pixels, as IDX files.
    static let stripes = ExamplePlan(name: "stripes", format: .idx)

    /// Updates carry their agents' own noise.
    static let masked = ExamplePlan(
        name: "masked", format: .csv, agents: 3, noiseMultiplier: 0.05, localNoiseMultiplier: 0.5)
    /// The clipping norm follows a quantile of the updates' norms.
    static let moving = ExamplePlan(
        name: "moving", format: .csv, noiseMultiplier: 0.05, isAdaptive: true)

    static let classes = 3
    /// The file that `predict` reads.
    var featuresFile: String { format == .csv ? "rows.csv" : "images-idx3-ubyte" }
    static let labelsFile = "labels-idx1-ubyte"

    private var features: Int { format == .csv ? 4 : side * side }

    /// What `[data]` says of the format.
    private var files: String {
        switch format {
        case .csv:
            """
            format = "csv"
            file = "\(featuresFile)"
            label_column = "label"
            """
        case .idx:
            """
            format = "idx"
            features_file = "\(featuresFile)"
            labels_file = "\(Self.labelsFile)"
            scale = 255
            """
        }
    }

    private var privacy: String {
        guard let noiseMultiplier else { return "" }
        return """

            [privacy]
            noise_multiplier = \(noiseMultiplier)
            delta = 1e-5
            agents = \(agents)
            local_noise_multiplier = \(localNoiseMultiplier)

            """
    }

    /// No share of two updates, however noisy its integer count, is this quantile, and no two of them lie evenly around
    /// it: a norm that follows it is another one after every round.
    private var quantile: String { isAdaptive ? "quantile = 0.45" : "" }

    private var layers: String {
        (hidden + [Self.classes]).map { "[[model.layers]]\nunits = \($0)" }
            .joined(separator: "\n\n")
    }

    /// The plan's TOML.
    var toml: String {
        """
        [plan]
        name = "\(name)"

        [data]
        \(files)
        features = \(features)
        classes = \(Self.classes)
        held_out = \(heldOut)

        \(layers)

        [training]
        epochs = \(epochs)
        learning_rate = 0.02
        \(training)

        [teacher]
        hidden = [16]
        epochs = 5
        learning_rate = 0.05

        [distillation]
        epochs = 10
        learning_rate = 0.05

        [round]
        agents = \(agents)
        minimum = \(noiseMultiplier == nil ? minimum ?? agents : 0)
        selection_seconds = 20
        report_seconds = \(reportSeconds)
        lease_seconds = \(min(reportSeconds, leaseSeconds))

        [clipping]
        norm = 1.0
        adaptive = \(isAdaptive)
        \(quantile)
        \(privacy)
        [server]

        [sealing]
        max_accuracy_drop = 1

        """
    }

    /// Writes labelled rows that no model can tell apart perfectly; the same seed gives the same rows.
    func writeRows(_ count: Int, seed: UInt64, to directory: URL) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var random = RowRandom(state: seed)
        let labels = (0..<count).map { _ in Int(random.next() % UInt64(Self.classes)) }
        let file = directory.appending(path: featuresFile)
        switch format {
        case .csv:
            let lines = labels.map { label in
                let values = (0..<features).map { column in
                    Double(column % Self.classes == label ? 2 : 0) + random.bell()
                }
                return (values.map { String(format: "%.3f", $0) } + ["\(label)"])
                    .joined(separator: ",")
            }
            let table = (["a,b,c,d,label"] + lines).joined(separator: "\n") + "\n"
            try Data(table.utf8).write(to: file)
        case .idx:
            let pixels = labels.flatMap { label in
                (0..<features).map { pixel -> UInt8 in
                    let isStripe = pixel / side % Self.classes == label
                    return UInt8(min(255, max(0, (isStripe ? 170 : 90) + 80 * random.bell())))
                }
            }
            try Self.idx(pixels, shape: [count, side, side]).write(to: file)
            try Self.idx(labels.map { UInt8($0) }, shape: [count])
                .write(to: directory.appending(path: Self.labelsFile))
        }
    }

    private static func idx(_ content: [UInt8], shape: [Int]) -> Data {
        let sizes = shape.flatMap { size in
            stride(from: 24, through: 0, by: -8).map { UInt8(size >> $0 & 0xff) }
        }
        return Data([0, 0, 8, UInt8(shape.count)] + sizes + content)
    }
}

/// SplitMix64: the same numbers on every machine.
private struct RowRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    /// A number around 0 with standard deviation 1, roughly normal.
    mutating func bell() -> Double {
        (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    }
}
