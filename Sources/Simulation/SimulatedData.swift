package import Learning

/// How a simulation adds its agents' updates.
package enum UpdateSum: Sendable {
    /// Rounded to the lattice, in integers, as deployment does.
    case lattice
    /// As they are, in floating point: federated averaging, against which the lattice is measured.
    case float
}

/// What a simulation trains and measures on.
package struct SimulatedData: Sendable {
    /// Every agent's examples.
    package let train: ResidentExamples
    /// Who holds which of them.
    package let partition: Partition
    /// What every version is measured on; nil to measure none.
    package let test: ResidentExamples?

    package init(train: ResidentExamples, partition: Partition, test: ResidentExamples?) {
        self.train = train
        self.partition = partition
        self.test = test
    }
}

/// What a simulated coordinator distils with after each round.
package struct SimulatedTeaching: Sendable {
    package let teacher: Teacher
    /// Public examples to learn from.
    package let training: ResidentExamples
    /// Public examples that decide; neither the teacher nor the first student learned from them.
    package let heldOut: ResidentExamples

    package init(teacher: Teacher, training: ResidentExamples, heldOut: ResidentExamples) {
        self.teacher = teacher
        self.training = training
        self.heldOut = heldOut
    }
}
