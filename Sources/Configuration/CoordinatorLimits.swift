import Federation

/// The `[limits]` table of `coordinator.toml`: what all peers together, and each of them, may take.
package struct CoordinatorLimits: Sendable, Equatable {
    /// Agents that may be connected at once; people are admitted beyond it.
    package var connections = 16_384
    /// Of them, from one address: an IPv4 address, or an IPv6 network of 64 bits.
    package var connectionsPerAddress = 4_096
    /// TLS handshakes that begin in any one second.
    package var handshakesPerSecond = 500
    /// Of them, with one address.
    package var handshakesPerSecondPerAddress = 250
    /// How long a handshake may take, and wait for its turn; and then a device without a certificate to ask for one.
    package var handshakeSeconds = 15
    /// How long one message may take to arrive, and one answer to leave.
    package var stalledSeconds = 60
    /// How long a peer may be silent between two messages.
    package var idleSeconds = 600
    /// Memory for updates that are being received, in MiB; one is always taken, however large.
    package var uploadsInFlightMiB = 128
    /// Memory for large messages on their way in or out, in MiB.
    package var buffersMiB = 64

    package init() {}

    enum Key: String, SectionKey {
        case connections
        case connectionsPerAddress = "connections_per_address"
        case handshakesPerSecond = "handshakes_per_second"
        case handshakesPerSecondPerAddress = "handshakes_per_second_per_address"
        case handshakeSeconds = "handshake_seconds"
        case stalledSeconds = "stalled_seconds"
        case idleSeconds = "idle_seconds"
        case uploadsInFlightMiB = "uploads_in_flight_mib"
        case buffersMiB = "buffers_mib"
    }

    /// Reads the table, or takes every default without one.
    init(_ section: Section<Key>?) throws(Fault) {
        self.init()
        guard let section else { return }
        connections = try section.integer(.connections, 1...1_000_000, default: connections)
        connectionsPerAddress = try section.integer(
            .connectionsPerAddress, 1...1_000_000, default: connectionsPerAddress)
        handshakesPerSecond = try section.integer(
            .handshakesPerSecond, 10...100_000, default: handshakesPerSecond)
        handshakesPerSecondPerAddress = try section.integer(
            .handshakesPerSecondPerAddress, 10...100_000, default: handshakesPerSecondPerAddress)
        handshakeSeconds = try section.integer(
            .handshakeSeconds, 1...300, default: handshakeSeconds)
        stalledSeconds = try section.integer(.stalledSeconds, 1...3600, default: stalledSeconds)
        idleSeconds = try section.integer(.idleSeconds, 1...86_400, default: idleSeconds)
        uploadsInFlightMiB = try section.integer(
            .uploadsInFlightMiB, 0...1_048_576, default: uploadsInFlightMiB)
        buffersMiB = try section.integer(.buffersMiB, 8...1_048_576, default: buffersMiB)
    }
}
