package import Federation

/// What a fleet lives in: time, where its own tasks run, and randomness. A deployed fleet has the operating system's; a
/// simulated one lives in one thread, with time and faults of its own.
package struct Surroundings: Sendable {
    package let clock: any ServiceClock
    /// Where the fleet's own tasks run, long arithmetic among them; nil: on the threads of this process.
    package let executor: (any TaskExecutor)?
    package let randomness: RoundRandomness
    /// Names the run of the machine that `clock`'s instants belong to; those of another mean nothing.
    package let bootID: String
    /// What a test breaks on purpose; nothing that a daemon reads can say so.
    package let plantedBug: PlantedBug?

    package init(
        clock: any ServiceClock, executor: (any TaskExecutor)?, randomness: RoundRandomness,
        bootID: String = "a simulated boot", plantedBug: PlantedBug? = nil
    ) {
        self.plantedBug = plantedBug
        self.clock = clock
        self.executor = executor
        self.randomness = randomness
        self.bootID = bootID
    }

    /// The operating system's.
    package static let system = Surroundings(
        clock: SystemClock(), executor: nil, randomness: .system, bootID: systemBootID())

    /// The same with other randomness.
    package func with(_ randomness: RoundRandomness) -> Surroundings {
        Surroundings(
            clock: clock, executor: executor, randomness: randomness, bootID: bootID,
            plantedBug: plantedBug)
    }
}

/// A defect that the fault simulation must find.
package enum PlantedBug: Sendable {
    /// An update that comes again is added again.
    case countsUpdatesTwice
}
