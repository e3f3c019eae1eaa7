import Cryptography
import Federation
import Provenance
import Wire

extension Site {
    /// Leaves that one page looks through at most for those of a kind.
    private static let mostLookedAt: UInt64 = 20_000

    /// Leaves of the log, newest first, and the newest checkpoint.
    func log(_ query: PageQuery) async throws(Fault) -> Page {
        let kind = query.text("kind")
        let note = try await fleet.checkpoint()
        let trust = try TrustSet(document: try await fleet.trustSet())
        let signed = try SignedCheckpoint(note: note, key: trust.log)
        let size = signed.checkpoint.size
        let asked = try query.number("until")
        let until = min(asked ?? size, size)
        let found = try await leaves(before: asked == nil ? size : min(until + 1, size), kind: kind)
        let filter = kind.map { "kind=\($0.asQuery)" } ?? ""
        let pager = PagerLinks(
            newer: asked == nil ? nil : address("/log", filter),
            older: found.next.map { address("/log", filter, "until=\($0)") })
        let view = LogView(
            origin: signed.checkpoint.origin, size: grouped(size),
            root: signed.checkpoint.root.hex, signature: "verified with the fleet's log key",
            tone: Tone.good.rawValue, note: String(decoding: note, as: UTF8.self),
            kinds: FleetEvent.Kind.allCases.map(\.rawValue).sorted().map {
                FormChoice(value: $0, label: $0, isChosen: $0 == kind)
            }, until: asked.map { "\($0)" } ?? "",
            heading: kind.map { "Leaves: \($0)" } ?? "Leaves, newest first",
            hasLeaves: !found.rows.isEmpty, leaves: found.rows,
            empty: found.next == nil
                ? "The log has no such leaf." : "None among these leaves; older ones may have one.",
            hasPager: pager.hasPager, newer: pager.newer, older: pager.older)
        return Page(title: "Log", area: .log, template: .log, content: view)
    }

    /// A page of leaves below `end`, newest first, and the last position of the next page; nil when there is none.
    private func leaves(
        before end: UInt64, kind: String?
    ) async throws(Fault) -> (rows: [LeafRow], next: UInt64?) {
        var rows: [LeafRow] = []
        var end = end
        let step: UInt64 = kind == nil ? UInt64(Self.pageRows) : 500
        let least = end - min(end, Self.mostLookedAt)
        while end > least {
            let first = end - min(end, step)
            var window: [LogEntry] = []
            while first + UInt64(window.count) < end {
                let next = first + UInt64(window.count)
                let part = try await fleet.leaves(from: next, limit: Int(end - next))
                guard !part.items.isEmpty else { break }
                window += part.items
            }
            for entry in window.reversed() {
                let row = LeafRow(entry)
                guard kind == nil || row.event == kind else { continue }
                if rows.count == Self.pageRows { return (rows, entry.index) }
                rows.append(row)
            }
            end = first
            if kind == nil { break }
        }
        return (rows, end > 0 ? end - 1 : nil)
    }

    /// One leaf with the proof that the newest checkpoint covers it, checked now.
    func leaf(_ index: UInt64) async throws(Fault) -> Page {
        let bytes = try await fleet.proof(AuditProve(index: index))
        let proof = try Provenance.LogProof(parsing: bytes)
        let trust = try TrustSet(document: try await fleet.trustSet())
        let text = String(decoding: proof.leaf, as: UTF8.self)
        let members = LeafMembers(text)
        var checkpoint: Checkpoint?
        var verdict = ("Proven.", "", Tone.good)
        do {
            let signed = try proof.verify(key: trust.log)
            checkpoint = signed.checkpoint
            verdict.1 =
                "The leaf is number \(index) of \(counted(signed.checkpoint.size, "leaf"))"
                .replacing("leafs", with: "leaves")
                + " under the root that the fleet's log key signed."
        } catch {
            verdict = ("Not proven.", error.description, .bad)
        }
        let size = checkpoint?.size ?? 0
        let view = LeafView(
            verdict: verdict.0, summary: verdict.1, tone: verdict.2.rawValue, index: index,
            event: members.event ?? "unknown", members: members.lines.map(LeafMember.init),
            leaf: text,
            hash: Merkle.leafHash(proof.leaf).hex, hasPath: !proof.path.isEmpty,
            path: proof.path.map(\.hex), root: checkpoint?.root.hex ?? nothing,
            origin: checkpoint?.origin ?? nothing, size: grouped(size),
            note: String(decoding: proof.checkpoint, as: UTF8.self),
            before: index > 0 ? "\(index - 1)" : nil,
            after: index + 1 < size ? "\(index + 1)" : nil)
        return Page(
            title: "Leaf \(index) of the log", area: .log, template: .leaf, content: view,
            crumbs: [PageLink(label: "Log", href: "/log")])
    }
}

private struct LogView {
    let origin: String
    let size: String
    let root: String
    let signature: String
    let tone: String
    let note: String
    let kinds: [FormChoice]
    let until: String
    let heading: String
    let hasLeaves: Bool
    let leaves: [LeafRow]
    let empty: String
    let hasPager: Bool
    let newer: String?
    let older: String?
    let newerLabel = "Newest leaves"
    let olderLabel = "Older leaves"
}

/// A line of the table of leaves.
private struct LeafRow {
    let index: UInt64
    let event: String
    let what: String
    let logged: Moment

    /// Characters of a digest that are shown.
    private static let digestCharacters = 12

    init(_ entry: LogEntry) {
        index = entry.index
        let members = LeafMembers(String(decoding: entry.leaf, as: UTF8.self))
        event = members.event ?? "unknown"
        what = members.lines.filter { $0.name != "time" }.map { name, value in
            let isDigest = LeafMembers.isDigest(value)
            return "\(name) \(isDigest ? String(value.prefix(Self.digestCharacters)) : value)"
        }.joined(separator: ", ")
        logged = Moment(unix: entry.loggedUnix)
    }
}

/// A member of a leaf, with the page it names.
private struct LeafMember {
    let name: String
    let value: String
    let href: String?
    let isDigest: Bool

    init(_ member: (name: String, value: String)) {
        name = member.name
        isDigest = LeafMembers.isDigest(member.value)
        value =
            member.name == "time"
            ? UInt64(member.value).map { Moment(unix: $0).text } ?? member.value : member.value
        switch member.name {
        case "agent": href = AgentID(member.value).map { "/agents/\($0)" }
        case "plan": href = PlanID(member.value).map { "/models/\($0)" }
        case "round": href = UInt64(member.value).flatMap { $0 > 0 ? "/rounds/\($0)" : nil }
        default: href = nil
        }
    }
}

private struct LeafView {
    let verdict: String
    let summary: String
    let tone: String
    let index: UInt64
    let event: String
    let members: [LeafMember]
    let leaf: String
    let hash: String
    let hasPath: Bool
    let path: [String]
    let root: String
    let origin: String
    let size: String
    let note: String
    let before: String?
    let after: String?
}
