import Cryptography
package import Federation
package import Wire

/// The fleet as a reader in the coordinator's own process sees it: the answers of the admin conversation, without its
/// connection. Nothing that it offers changes anything.
package struct FleetConsole: Sendable {
    private let fleet: Fleet
    /// Whether its readers are curators, who may see live counts of private plans.
    private let tellsCounts: Bool
    /// The directory of the log's public files.
    package let logDirectory: String
    /// What a server of the fleet shows: its certificate and the authority's, DER, and the file with its key, PEM.
    package let certificates: [[UInt8]]
    package let keyFile: String

    init(_ fleet: Fleet, directory: StateDirectory, tellsCounts: Bool) {
        self.fleet = fleet
        self.tellsCounts = tellsCounts
        logDirectory = directory.logDirectory
        certificates = fleet.keys.serverChain.map(\.der)
        keyFile = fleet.keys.serverKeyFile
    }

    /// The fleet's name.
    package var name: String { fleet.keys.fleet }

    /// Grows when anything changes that can be watched.
    package var revision: UInt64 { fleet.progress.generation }

    /// Returns when something changed after `revision`, after `seconds`, or when the task is cancelled.
    package func wait(after revision: UInt64, seconds: Double) async {
        await fleet.progress.wait(after: revision, seconds: seconds)
    }

    /// What the coordinator tells an auditor, and a curator besides.
    ///
    /// - Throws: `forbidden` for a request that would change something; else as the command line is told.
    package func ask(_ request: AdminRequest) async throws(Fault) -> AdminResponse {
        try await fleet.answer(request, tellsCounts: tellsCounts)
    }

    /// Every round in flight, by number.
    package func roundsInFlight() async throws(Fault) -> [LiveRound] {
        try await fleet.roundsInFlight(tellsCounts: tellsCounts)
    }

    /// At most `limit` rounds with numbers below `before`, newest first.
    ///
    /// - Parameters:
    ///   - plan: empty: of every plan.
    ///   - before: nil: from the newest on.
    /// - Throws: `notFound` for a plan that there is not.
    package func rounds(
        plan: String, before: UInt64?, limit: Int
    ) async throws(Fault) -> RoundRecords {
        try await fleet.newestRounds(plan: plan, before: before, limit: limit)
    }

    /// How many agents are in which state.
    package func census() async throws(Fault) -> AgentCensus { try await fleet.agentCensus() }

    /// A blob that an auditor may fetch: a plan's text, a model's files and signature.
    ///
    /// - Throws: `notFound`; `exhausted` when it is larger than `mostBytes`.
    package func blob(_ digest: Digest, mostBytes: UInt64) async throws(Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = try await fleet.blobChunk(
                BlobRequest(digest: digest.bytes, offset: UInt64(bytes.count)), toAgent: false)
            guard chunk.totalSize <= mostBytes else {
                throw Fault(.exhausted, "a blob of \(chunk.totalSize) bytes is not read here")
            }
            bytes += chunk.data
            guard UInt64(bytes.count) < chunk.totalSize, !chunk.data.isEmpty else { return bytes }
        }
    }

    /// Metrics in Prometheus' text format.
    package func metrics() async -> String { await fleet.metricsText(tellsCounts: tellsCounts) }

    /// The dashboard answers at `address`, or cannot for the reason that is given.
    package func dashboard(_ standing: Result<String, Fault>) async {
        await fleet.dashboardStands(standing)
    }
}
