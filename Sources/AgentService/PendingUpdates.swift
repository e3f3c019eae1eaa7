package import AgentSession
import Cryptography
package import Federation
import Wire

/// Encoded updates on disk, at most one a plan, kept until their rounds are sealed.
///
/// `update/<plan>.header` holds eight bytes that mean nothing and the submit header as it is sent;
/// `update/<plan>.<digest>` the packed update. The header is written last, so its presence means that both are whole.
package struct PendingUpdates: Sendable {
    private let directory: String
    /// Older programs write a time here; zeros are one, so they read these files too.
    private static let reservedBytes = 8

    /// - Parameter directory: exists and is this type's alone.
    package init(directory: String) { self.directory = directory }

    /// Persists an update and drops the plan's earlier one.
    ///
    /// - Parameter bytes: the packed update, whose digest and size `update` states.
    package func save(_ update: PendingUpdate, bytes: [UInt8]) throws(Fault) {
        // The header's name is made durable after it, in the same directory.
        try RewrittenFile.replace(
            payload(update.plan, update.digest), bytes, mode: CredentialFile.secretMode,
            durability: .contents, spare: spare(update.plan))
        try saveHeader(update)
        removePayloads(of: update.plan, but: payload(update.plan, update.digest))
    }

    /// Persists a new header for bytes that stay.
    package func saveHeader(_ update: PendingUpdate) throws(Fault) {
        let reserved = [UInt8](repeating: 0, count: PendingUpdates.reservedBytes)
        let frame = try Message.submitHeader(SubmitHeader(update)).encoded()
        try RewrittenFile.replace(
            header(update.plan), reserved + frame, mode: CredentialFile.secretMode)
    }

    /// The updates on disk for `plans`; what is damaged is dropped and described.
    package func load(
        plans: some Sequence<PlanID>
    ) -> (updates: [PendingUpdate], dropped: [Fault]) {
        var updates: [PendingUpdate] = []
        var dropped: [Fault] = []
        for plan in plans where fileSize(header(plan)) != nil {
            do throws(Fault) { updates.append(try load(plan)) } catch {
                dropped.append(error)
                discard(plan)
            }
        }
        return (updates, dropped)
    }

    /// Bytes of the packed update.
    package func read(
        _ update: PendingUpdate, offset: UInt64, count: Int
    ) throws(Fault) -> [UInt8] {
        try readBytes(payload(update.plan, update.digest), offset: offset, count: count)
    }

    package func discard(_ plan: PlanID) {
        RewrittenFile.remove(header(plan), erasing: true)
        removePayloads(of: plan)
    }

    /// Removes a plan's updates. Nothing of them stays: they are made of the device's data.
    private func removePayloads(of plan: PlanID, but kept: String? = nil) {
        for name in names(in: directory) where name.hasPrefix("\(plan).") {
            guard Digest(hex: String(name.dropFirst(plan.name.utf8.count + 1))) != nil else {
                continue
            }
            let path = "\(directory)/\(name)"
            if path != kept { RewrittenFile.remove(path, spare: spare(plan), erasing: true) }
        }
    }

    private func load(_ plan: PlanID) throws(Fault) -> PendingUpdate {
        let path = header(plan)
        let damaged = Fault(.storage, "\(path) is damaged")
        let bytes = try CredentialFile.read(path)
        let start = PendingUpdates.reservedBytes + WireLimits.prefixBytes
        guard bytes.count > start,
            case .submitHeader(let message) = try Message.decode(payload: bytes[start...]),
            let latticeID = Digest(bytes: message.latticeId),
            let digest = Digest(bytes: message.updateDigest)
        else { throw damaged }
        let packed = payload(plan, digest)
        guard fileSize(packed) == message.size, try SHA256.digest(ofFile: packed) == digest else {
            throw Fault(.storage, "\(packed) is damaged")
        }
        return PendingUpdate(
            plan: plan,
            at: RoundAttempt(round: RoundID(message.round), attempt: message.attempt),
            baseVersion: message.baseVersion, latticeID: latticeID,
            submitToken: message.submitToken, examples: message.examples,
            withinClip: message.withinClip, size: message.size, digest: digest)
    }

    private func header(_ plan: PlanID) -> String { "\(directory)/\(plan).header" }
    private func spare(_ plan: PlanID) -> String { "\(directory)/\(plan).spare" }
    private func payload(_ plan: PlanID, _ digest: Digest) -> String {
        "\(directory)/\(plan).\(digest)"
    }
}
