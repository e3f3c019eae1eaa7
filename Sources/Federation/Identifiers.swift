/// The name of a plan: 1 to 40 characters of `a-z 0-9 -`, beginning with a letter.
///
/// It appears in file names, URIs and log leaves, hence the narrow alphabet.
package struct PlanID: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    /// Returns nil when `name` is not a valid plan name.
    package init?(_ name: String) {
        guard isName(name, atMost: 40) else { return nil }
        self.name = name
    }

    package var description: String { name }
}

/// The name of an agent, given by the coordinator at enrolment and carried in its certificate.
package struct AgentID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let name: String

    /// Returns nil when `name` is not 1 to 64 characters of `a-z 0-9 -` beginning with a letter.
    package init?(_ name: String) {
        guard isName(name, atMost: 64) else { return nil }
        self.name = name
    }

    package var description: String { name }

    package static func < (left: AgentID, right: AgentID) -> Bool { left.name < right.name }
}

/// The number of a round, unique within a coordinator and never used again.
package struct RoundID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }

    package var description: String { String(number) }

    package static func < (left: RoundID, right: RoundID) -> Bool { left.number < right.number }
}

/// One try at a round: a round that continues after a crash under a new charge has a new attempt.
package struct RoundAttempt: Hashable, Sendable, CustomStringConvertible {
    package let round: RoundID
    package let attempt: UInt32

    package init(round: RoundID, attempt: UInt32) {
        self.round = round
        self.attempt = attempt
    }

    package var description: String { "\(round).\(attempt)" }
}

/// What a certificate lets its holder do; the second part of its SAN URI.
package enum Role: String, Sendable, CaseIterable {
    case admin, `operator`, auditor, agent
}

/// Who speaks: read from the certificate's SAN URI `tributary://<fleet>/<role>/<id>`.
package struct Identity: Hashable, Sendable, CustomStringConvertible {
    package let fleet: String
    package let role: Role
    package let id: String

    package init(fleet: String, role: Role, id: String) {
        self.fleet = fleet
        self.role = role
        self.id = id
    }

    /// Parses a SAN URI; nil when it is not exactly `tributary://<fleet>/<role>/<id>`.
    package init?(uri: String) {
        let scheme = "tributary://"
        guard uri.hasPrefix(scheme) else { return nil }
        let parts = uri.dropFirst(scheme.count).split(
            separator: "/", omittingEmptySubsequences: false
        ).map(String.init)
        guard parts.count == 3, let role = Role(rawValue: parts[1]), isName(parts[0], atMost: 64),
            isName(parts[2], atMost: 64)
        else { return nil }
        self.init(fleet: parts[0], role: role, id: parts[2])
    }

    package var uri: String { "tributary://\(fleet)/\(role.rawValue)/\(id)" }
    package var description: String { uri }
}

/// Whether `text` is 1 to `limit` characters of `a-z 0-9 -` and begins with a letter.
package func isName(_ text: String, atMost limit: Int) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, bytes.count <= limit, (97...122).contains(first) else {
        return false
    }
    return bytes.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
}
