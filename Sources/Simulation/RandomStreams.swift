import Federation

/// The random numbers of a simulation: a stream of its own for each purpose, round and agent, so
/// that no result depends on which thread asks first.
struct RandomStreams: Sendable, Equatable {
    enum Purpose: UInt64 {
        case cohort, rotation, noise, agent, distillation, examples
    }

    let seed: UInt64

    func stream(_ purpose: Purpose, round: Int, agent: Int = 0) -> SeededRandom {
        var seed = seed
        for word in [purpose.rawValue, UInt64(round), UInt64(agent)] {
            // One step of the generator mixes what was seen before the next word comes in.
            var mixer = SeededRandom(seed: seed)
            seed = mixer.next() ^ word
        }
        var mixer = SeededRandom(seed: seed)
        return SeededRandom(seed: mixer.next())
    }
}
