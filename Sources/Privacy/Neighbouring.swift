package import Federation

/// Which pairs of populations the guarantee makes indistinguishable.
package enum Neighbouring: String, Sendable, CaseIterable {
    /// One agent more or fewer; with everyone in every round, one agent's update replaced by zero.
    case addOrRemove = "add-remove"
    /// One agent's data replaced by any other.
    case replaceOne = "replace-one"

    /// How far a neighbour may move a sum of updates clipped to norm 1.
    var sensitivity: Double {
        switch self {
        case .addOrRemove: 1
        case .replaceOne: 2
        }
    }
}

/// How a round's agents are chosen, as far as it matters to an accountant.
package enum CohortDraw: String, Sendable, CaseIterable {
    /// An independent secret coin an agent.
    case poisson
    /// A secret sample of a size that everybody knows.
    case fixedSize = "fixed-size"

    /// Checks that there is a bound for this way under `neighbouring`.
    ///
    /// - Throws: `Fault.invalid` for samples of fixed size when an agent may be added or removed.
    package func check(with neighbouring: Neighbouring) throws(Fault) {
        guard self == .poisson || neighbouring == .replaceOne else {
            throw Fault(
                .invalid,
                "a cohort of fixed size is not a Poisson sample: nobody can be added to it or "
                    + "removed without another's coming or going, and accounting for coins would "
                    + "state too little",
                remedy: "account for it under replace-one, or draw cohorts by coins")
        }
    }
}
