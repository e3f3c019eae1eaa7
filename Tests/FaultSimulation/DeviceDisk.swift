import AgentSession
import Federation

/// What a device keeps when its process ends.
struct DeviceDisk {
    /// An encoded update, as the agent writes it.
    struct KeptUpdate {
        var update: PendingUpdate
        var bytes: [UInt8]
    }

    var updates: [PlanID: KeptUpdate] = [:]
    var blobs: [Digest: [UInt8]] = [:]
    /// Pieces of blobs whose rest is still to be fetched.
    var pieces: [Digest: [UInt8]] = [:]
    /// The plan texts that were read, by their digests.
    var plans: [PlanID: Digest] = [:]
    /// The versions that it predicts with.
    var models: [PlanID: UInt64] = [:]
    /// The assignment at hand.
    var marker: RoundAssignment?
    /// The newest checkpoint of the coordinator's log.
    var checkpoint: [UInt8] = []

    /// The updates as a process finds them that starts now.
    var pending: [PendingUpdate] {
        updates.values.map(\.update).sorted { $0.plan.name < $1.plan.name }
    }
}
