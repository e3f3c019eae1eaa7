/// Labelled examples that can be read a few rows at a time, so that no data set need fit in memory.
package protocol ExampleSource {
    /// Rows available.
    var count: Int { get }
    /// Raw features a row.
    var features: Int { get }
    /// Targets a row: the numbers that a model learns to predict. 0 where there are none.
    var targets: Int { get }
    /// Whether the examples' classes are known; without, all read as class 0.
    var hasLabels: Bool { get }

    /// Whether every raw feature is a whole number from 0 to 255, so that rows can be read as bytes.
    var holdsBytes: Bool { get }

    /// Reads `rows` in the order given: raw features into `features` (`rows.count` x `self.features`, row-major) and
    /// classes into `labels` (`rows.count`). Both arrays are at least that long; what lies beyond is left alone.
    mutating func read(
        rows: ArraySlice<Int>, features: inout [Float], labels: inout [Int32]
    ) throws(Fault)

    /// As above, with raw features as bytes; only where `holdsBytes`.
    mutating func read(
        rows: ArraySlice<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault)

    /// As the first, with the raw targets in place of classes: `rows.count` x `self.targets`, row-major.
    mutating func read(
        rows: ArraySlice<Int>, features: inout [Float], targets: inout [Float]
    ) throws(Fault)
}

extension ExampleSource {
    package var targets: Int { 0 }
    package var hasLabels: Bool { true }
    package var holdsBytes: Bool { false }

    package mutating func read(
        rows: ArraySlice<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault) {
        throw Fault(.internal, "the examples cannot be read as bytes")
    }

    package mutating func read(
        rows: ArraySlice<Int>, features: inout [Float], targets: inout [Float]
    ) throws(Fault) {
        throw Fault(
            .invalid, "the examples have no targets",
            remedy: "name them in the plan's [data] target_columns")
    }
}

/// Which plan, version and round a model file is, and which it came from; written into the file's metadata and so signed.
package struct ModelIdentity: Sendable, Equatable {
    package var plan: PlanID
    package var version: UInt64
    /// 0 for the first, distilled version.
    package var round: UInt64
    /// SHA-256 of the parent's model.onnx; nil for version 0.
    package var parent: Digest?
    /// What the outputs are, where they are as many as the inputs and could be classes as well as a reconstruction; nil where
    /// the graph alone tells, and in files written before this was said.
    package var objective: TrainingPlan.Objective?

    package init(
        plan: PlanID, version: UInt64, round: UInt64, parent: Digest?,
        objective: TrainingPlan.Objective? = nil
    ) {
        self.plan = plan
        self.version = version
        self.round = round
        self.parent = parent
        self.objective = objective
    }

    /// The identity of a version of `plan`'s model.
    package init(of plan: Plan, version: UInt64, round: UInt64, parent: Digest?) {
        let objective = plan.training.objective
        // A regression's graph ends by bringing its targets into their own units.
        let isAmbiguous =
            objective != .regression && objective.outputs(plan.data) == plan.data.features
        self.init(
            plan: plan.id, version: version, round: round, parent: parent,
            objective: isAmbiguous ? objective : nil)
    }
}

/// An ordered stream of bytes to one peer that blocks; TLS connections conform.
package protocol ByteStream: ~Copyable {
    /// Reads 1 to `buffer.count` bytes and returns how many; 0 at the peer's orderly end.
    ///
    /// - Throws: `Fault` with code `unavailable` when `timeoutSeconds` pass without a byte or the connection breaks.
    mutating func read(
        into buffer: UnsafeMutableRawBufferPointer, timeoutSeconds: Double
    ) throws(Fault) -> Int
    /// Writes all of `bytes`.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(Fault)
}
