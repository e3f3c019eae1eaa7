import Cryptography
package import Federation

/// Where the draws come from that shape what a round publishes; with those given, equal updates give equal bytes.
package struct RoundRandomness: Sendable {
    /// The seed of a new round's rotation; public.
    let rotationSeed: @Sendable () -> UInt64
    /// The generator of one round's noise.
    let noise: @Sendable () -> any RandomSource
    /// The generator of a fleet's coins, secrets, names and jitter.
    let fleet: @Sendable () -> any RandomSource

    package init(
        rotationSeed: @escaping @Sendable () -> UInt64,
        noise: @escaping @Sendable () -> any RandomSource,
        fleet: @escaping @Sendable () -> any RandomSource = { SystemRandom() }
    ) {
        self.rotationSeed = rotationSeed
        self.noise = noise
        self.fleet = fleet
    }

    /// The cryptographic generator of the operating system.
    package static let system = RoundRandomness(
        rotationSeed: {
            var random = SystemRandom()
            return random.next()
        },
        noise: { SystemRandom() })
}
