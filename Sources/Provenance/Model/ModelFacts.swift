package import Federation

/// What is known of one model version as it is sealed: its card, its provenance statement and its
/// bill of materials are made of these facts and of nothing else, so that equal facts give equal
/// bytes.
///
/// Everything here may be told to anybody. Of a private plan's round that leaves out how many agents
/// took part, how many of their updates were rejected, and how long it took.
package struct ModelFacts: Sendable, Equatable {
    /// The version that another one was made from.
    package struct Parent: Sendable, Equatable {
        package let version: UInt64
        /// SHA-256 of its model.onnx.
        package let model: Digest

        package init(version: UInt64, model: Digest) {
            self.version = version
            self.model = model
        }
    }

    /// How a version came to be.
    package enum Origin: Sendable, Equatable {
        /// Version 0: it learned from the coordinator's public data, and, where the plan has one,
        /// from a teacher that learned from them.
        case distillation(teacherAccuracy: Double?)
        /// A federated round.
        case round(RoundFacts)
        /// The weights of the parent, signed anew.
        case republication
    }

    /// What a round of agents adds.
    package struct RoundFacts: Sendable, Equatable {
        /// Who took part, told in a plan without privacy only.
        package struct Participation: Sendable, Equatable {
            /// Updates in the sum.
            package let agents: Int
            /// Examples that they were trained on, over all agents.
            package let examples: UInt64
            /// Updates that were refused.
            package let rejected: Int

            package init(agents: Int, examples: UInt64, rejected: Int) {
                self.agents = agents
                self.examples = examples
                self.rejected = rejected
            }
        }

        package let at: RoundAttempt
        package let lattice: Lattice
        /// The Merkle root over the salted commitments, and the number of slots it is over.
        package let updates: Digest
        package let capacity: Int
        package let participation: Participation?
        /// Of distillation after the round; nil when it was not tried.
        package let distillation: DistillationTrial?

        package init(
            at: RoundAttempt, lattice: Lattice, updates: Digest, capacity: Int,
            participation: Participation?, distillation: DistillationTrial?
        ) {
            self.at = at
            self.lattice = lattice
            self.updates = updates
            self.capacity = capacity
            self.participation = participation
            self.distillation = distillation
        }
    }

    /// What the plan's population had spent of its privacy when the version was sealed, this version
    /// included.
    package struct Spend: Sendable, Equatable {
        /// Of the population, over every plan on it, at the plan's delta.
        package let epsilon: Double
        /// Rounds of this plan that were charged.
        package let rounds: Int
        /// What the coordinator itself could have learned of one agent, in every round that was begun; nil without local
        /// noise.
        package let localEpsilon: Double?

        package init(epsilon: Double, rounds: Int, localEpsilon: Double?) {
            self.epsilon = epsilon
            self.rounds = rounds
            self.localEpsilon = localEpsilon
        }
    }

    package let fleet: String
    package let plan: Plan
    /// SHA-256 of the plan's text.
    package let planDigest: Digest
    package let version: UInt64
    /// Of model.onnx: SHA-256 and bytes.
    package let model: Digest
    package let modelSize: UInt64
    /// Nil for version 0.
    package let parent: Parent?
    package let origin: Origin
    /// What the version scores on the coordinator's test data, in [0, 1], see `measure`.
    package let accuracy: Double
    /// Rows of those test data.
    package let testExamples: Int
    /// Nil when the plan is not private.
    package let spend: Spend?

    package init(
        fleet: String, plan: Plan, planDigest: Digest, version: UInt64, model: Digest,
        modelSize: UInt64, parent: Parent?, origin: Origin, accuracy: Double, testExamples: Int,
        spend: Spend?
    ) {
        self.fleet = fleet
        self.plan = plan
        self.planDigest = planDigest
        self.version = version
        self.model = model
        self.modelSize = modelSize
        self.parent = parent
        self.origin = origin
        self.accuracy = accuracy
        self.testExamples = testExamples
        self.spend = spend
    }

    /// `fashion-12`: what the exported directory, and the signature, is named.
    package var name: String { "\(plan.id)-\(version)" }

    /// What `accuracy` is of this plan's models.
    var measure: String {
        switch plan.training.objective {
        case .classification: "accuracy"
        case .reconstruction:
            plan.data.hasLabels
                ? "area under the ROC curve of anomaly scores"
                : "explained variance of the features"
        case .regression: "explained variance of the targets (R2, mean over targets)"
        }
    }

    /// What the student is asked for, in a word.
    var task: String {
        switch plan.training.objective {
        case .classification: "classification"
        case .reconstruction: "anomaly detection"
        case .regression: "regression"
        }
    }

    /// The facts of the round that made the version; nil when none did.
    var round: RoundFacts? {
        if case .round(let round) = origin { round } else { nil }
    }

    /// Who took part in the round; nil when nobody may know, or there was none.
    var participation: RoundFacts.Participation? {
        plan.privacy == nil ? round?.participation : nil
    }

    /// FedAvg or FedAvgM.
    var algorithm: String { plan.server.momentum > 0 ? "FedAvgM" : "FedAvg" }

    /// The name of a version of this plan's model, as a URI.
    func uri(version: UInt64) -> String { "tributary://\(fleet)/models/\(plan.id)/\(version)" }
}

/// A range that `count` lies in, in place of the number itself.
enum Bucket {
    /// `1`, `2-3`, `4-7`, `8-15` and so on: for agents.
    static func doubling(_ count: Int) -> String {
        guard count > 0 else { return "0" }
        let lower = 1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
        return lower == 1 ? "1" : "\(grouped(UInt64(lower)))-\(grouped(UInt64(lower) * 2 - 1))"
    }

    /// `1-9`, `10-99`, `100-999`, `1,000-9,999` and so on: for examples.
    static func decade(_ count: UInt64) -> String {
        guard count > 0 else { return "0" }
        let digits = String(count).count
        let upper = String(repeating: "9", count: digits)
        let lower = "1" + String(repeating: "0", count: digits - 1)
        return "\(grouped(lower))-\(grouped(upper))"
    }
}

/// `count` with a comma before each group of three digits.
func grouped(_ count: UInt64) -> String { grouped(String(count)) }

private func grouped(_ digits: String) -> String {
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
        text.append(digit)
    }
    return text
}
