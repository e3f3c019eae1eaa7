package import AgentSession
import Cryptography
package import Federation
package import Wire

/// The assignment at hand, on disk: an agent that was killed takes it up again, or gives it up, at once.
package struct WorkMarker: Sendable {
    private let file: String
    /// The assignment at hand, or the one that an earlier run left.
    package private(set) var assignment: RoundAssignment?

    /// - Parameter file: may not exist; one that cannot be read counts as none.
    package init(file: String) {
        self.file = file
        guard fileSize(file) != nil, let frame = try? CredentialFile.read(file),
            frame.count > WireLimits.prefixBytes,
            case .checkInResponse(let answer) = try? Message.decode(
                payload: frame[WireLimits.prefixBytes...]),
            case .assignment(let assignment) = answer.next
        else { return }
        self.assignment = try? RoundAssignment(assignment)
    }

    /// Puts `assignment` in place of any other.
    ///
    /// - Throws: `Fault.storage`, `Fault.invalid` for one that makes no sense.
    package mutating func set(_ assignment: Assignment) throws(Fault) {
        let frame = try Message.checkInResponse(CheckInResponse(next: .assignment(assignment)))
            .encoded()
        self.assignment = try RoundAssignment(assignment)
        // After a power cut the coordinator gives the agent its place again, or another.
        try RewrittenFile.replace(
            file, frame, mode: CredentialFile.secretMode, durability: .none)
    }

    /// The work is done, or nobody waits for it.
    package mutating func clear() {
        guard assignment != nil else { return }
        assignment = nil
        RewrittenFile.remove(file, erasing: true)
    }
}
