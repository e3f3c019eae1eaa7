import AgentSession
import Aggregation
import Cryptography
import Federation
import Privacy
import Registry
import UpdateCodec
import Wire

/// Sees everything that any life of the coordinator makes durable, and holds it against what the devices made.
final class Auditor: Sendable {
    /// An encoded update as its maker knows it.
    private struct Made {
        let values: [Int8]
        let examples: UInt64
    }

    /// By whom, and what it is.
    private struct Key: Hashable {
        let maker: String
        let digest: Digest
    }

    /// A place in a round.
    struct Place: Hashable {
        let at: RoundAttempt
        let agent: String
    }

    /// Noise as one life of the coordinator drew it.
    private struct Draw {
        let seed: UInt64
        let process: Int
        /// The attempts that noise might be drawn for by then: of private ones those that were charged.
        let mayServe: Set<RoundAttempt>
    }

    private let world: World
    private let disk: SimulatedDisk
    private let plans: [String: Plan]
    nonisolated(unsafe) private var made: [Key: Made] = [:]
    /// Who was told `accepted` by which life of the coordinator.
    nonisolated(unsafe) private var accepted: [Place: Int] = [:]
    /// What honest agents announced for a round, over all its attempts.
    nonisolated(unsafe) private var announced: [Place: Digest] = [:]
    /// Noise that was drawn and not released yet, the newest last.
    nonisolated(unsafe) private var drawn: [Draw] = []
    /// How often noise was drawn for an attempt.
    nonisolated(unsafe) private var draws: [RoundAttempt: Int] = [:]
    /// Who was told that they have left the fleet.
    nonisolated(unsafe) private var gone: Set<String> = []
    /// The aggregates of the attempts that were released.
    nonisolated(unsafe) private var released: [RoundAttempt: [UInt8]] = [:]

    init(world: World, disk: SimulatedDisk, plans: [String: Plan]) {
        self.world = world
        self.disk = disk
        self.plans = plans
    }

    // MARK: What devices say

    /// Somebody encoded an update.
    func made(_ bytes: [UInt8], examples: UInt64, by maker: String) {
        made[Key(maker: maker, digest: SHA256.digest(of: bytes))] = Made(
            values: bytes.map { Int8(bitPattern: $0) }, examples: examples)
    }

    /// An honest agent announces its update: for one round it is always the same.
    func announces(_ update: PendingUpdate, by agent: String) {
        let place = Place(
            at: RoundAttempt(round: update.at.round, attempt: 0), agent: agent)
        if let before = announced[place], before != update.digest {
            world.violate("\(agent) announces a second update for round \(update.at.round)")
        }
        announced[place] = update.digest
    }

    /// An honest agent was told this of its update.
    func answered(_ verdict: SubmitVerdict, _ update: PendingUpdate, to agent: String) {
        switch verdict {
        case .rejected(let reason):
            world.violate(
                "the update of \(agent) for \(update.at), which is as it should be, is rejected: \(reason)"
            )
        case .accepted, .wanted, .duplicate, .gone, .later: break
        }
    }

    /// The coordinator's log only grows.
    func sawCheckpoint(_ note: [UInt8], after older: [UInt8], by agent: String) {
        guard let size = Self.size(of: note) else {
            return world.violate("\(agent) was shown no checkpoint")
        }
        if let before = Self.size(of: older), size < before {
            world.violate("\(agent) saw \(before) events in the log, and then \(size)")
        }
    }

    private static func size(of note: [UInt8]) -> UInt64? {
        let lines = String(decoding: note, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 1 ? UInt64(lines[1]) : nil
    }

    /// The owner of an agent was told that it is revoked, and erases it: that must be on the coordinator's disk.
    func left(_ agent: String) {
        gone.insert(agent)
        let revoked = look("SELECT id FROM agents WHERE revokedUnix IS NOT NULL").map { $0[0].text }
        if !revoked.contains(agent) { world.violate("\(agent) has left, and is not revoked") }
    }

    /// Whether the coordinator is to say nothing but no to an agent from now on.
    func isGone(_ agent: String) -> Bool { gone.contains(agent) }

    // MARK: What the coordinator does

    /// A life of the coordinator answers a peer.
    ///
    /// - Parameter wasGone: whether the peer had left the fleet when its message arrived.
    func answers(
        _ answer: Message, to message: Message, from peer: String, wasGone: Bool, process: Int
    ) {
        if wasGone {
            guard case .failure = answer else {
                return world.violate("\(peer) has left, and is answered: \(answer)")
            }
        }
        guard case .submitFinish(let finish) = message, case .submitStatus(let status) = answer,
            status.verdict == .accepted
        else { return }
        let at = RoundAttempt(round: RoundID(finish.round), attempt: finish.attempt)
        accepted[Place(at: at, agent: peer)] = process
    }

    /// Noise is about to be drawn: the attempt it is for must have been charged by now, once for each draw.
    ///
    /// Nobody says which attempt that is. While another may have noise drawn, this one's lack of a charge shows only when
    /// its noise is released; noise that is thrown away tells nobody anything.
    func drawsNoise(seed: UInt64, process: Int) {
        let rows = look(
            """
            SELECT id, rounds.attempt, rounds.plan,
                EXISTS (SELECT 1 FROM ledger WHERE ledger.round = rounds.id
                    AND ledger.attempt = rounds.attempt), phase
            FROM rounds WHERE phase = 'aggregating'
                -- Cancelled between its charge and its noise, of which nothing is released then.
                OR (phase = 'abandoned' AND aggregateDigest IS NULL AND id IN (
                    SELECT round FROM round_history WHERE phase = 'aggregating'))
            """)
        let candidates = rows.filter { plans[$0[2].text]?.privacy == nil || $0[3].number == 1 }
        drawn.append(
            Draw(seed: seed, process: process, mayServe: Set(candidates.map(attempt))))
        guard !candidates.isEmpty else {
            return world.violate("noise is drawn for a round that is not charged")
        }
        guard rows.count == 1, rows[0][4].text == "aggregating",
            plans[rows[0][2].text]?.privacy != nil
        else { return }
        let at = attempt(rows[0])
        draws[at, default: 0] += 1
        if draws[at, default: 0] > 1 { world.violate("noise is drawn twice for \(at)") }
    }

    /// A command of this life reached the disk.
    func committed(_ command: String, by process: Int) {
        if command.hasPrefix("release round") {
            checkReleases(by: process)
        } else if command.hasPrefix("publish") {
            checkVersions()
        } else if command.hasPrefix("count the update") {
            checkContributions()
        }
    }

    /// Every release is the sum of exactly the updates that are recorded, and each attempt has one.
    private func checkReleases(by process: Int) {
        let rows = look(
            """
            SELECT id, attempt, plan, aggregateDigest, rotationSeed, clippingNorm
                FROM rounds WHERE aggregateDigest IS NOT NULL
            """)
        for row in rows {
            let at = attempt(row)
            guard case .bytes(let digest) = row[3] else { continue }
            if let before = released[at] {
                if before != digest { world.violate("\(at) is released twice") }
                continue
            }
            released[at] = digest
            if let earlier = released.keys.first(where: { $0.round == at.round && $0 != at }) {
                world.violate("\(at) is released after \(earlier)")
            }
            check(at, row, digest, process)
        }
    }

    private func check(
        _ at: RoundAttempt, _ row: [SimulatedDisk.Value], _ digest: [UInt8], _ process: Int
    ) {
        guard let plan = plans[row[2].text], let digest = Digest(bytes: digest),
            let stored = disk.blob(digest)
        else { return world.violate("\(at) is released, and its aggregate is not there") }
        let norm: Float? = if case .real(let norm) = row[5] { Float(norm) } else { nil }
        let lattice = Lattice(
            plan: plan, clippingNorm: norm,
            rotationSeed: UInt64(bitPattern: Int64(row[4].number)))
        var sum = ExactSum(lattice: lattice, maxWeight: plan.maxUpdateWeight)
        let counted = contributions(of: at)
        if Set(counted.map(\.agent)).count < counted.count {
            world.violate("\(at) counts an agent twice")
        }
        for (agent, digest) in counted {
            guard let update = made[Key(maker: agent, digest: digest)] else {
                return world.violate("\(at) counts an update that \(agent) never made")
            }
            do throws(UpdateRejectionError) {
                try sum.fold(
                    update.values, weight: plan.updateWeight(examples: update.examples))
            } catch { return world.violate("\(at) counts what no sum takes: \(error.reason)") }
        }
        for (place, teller) in accepted where place.at == at && teller == process {
            if !counted.contains(where: { $0.agent == place.agent }) {
                world.violate("\(at) leaves out \(place.agent), whose update was accepted")
            }
        }
        if !isRelease(stored, at, of: sum, plan: plan, process: process) {
            world.violate(
                "the aggregate of \(plan.id) \(at) is not the sum of its \(counted.count) updates")
        }
        if plan.privacy != nil { checkCharge(of: at) }
    }

    private func isRelease(
        _ stored: [UInt8], _ at: RoundAttempt, of sum: ExactSum, plan: Plan, process: Int
    ) -> Bool {
        for (index, draw) in drawn.enumerated().reversed() where draw.process == process {
            var random = SeededRandom(seed: draw.seed)
            guard let released = try? aggregate(sum: sum, plan: plan, noise: &random),
                released.sums.flatMap(Self.littleEndian) == stored
            else { continue }
            // Without privacy any draw will do, as none of it is in the sum.
            guard plan.privacy != nil else { return true }
            if !draw.mayServe.contains(at) {
                world.violate("the noise of \(at) was drawn before its charge")
            }
            drawn.remove(at: index)
            return true
        }
        return false
    }

    private static func littleEndian(_ value: Int64) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    private func checkCharge(of at: RoundAttempt) {
        let rows = look(
            "SELECT COUNT(*) FROM ledger WHERE round = \(at.round) AND attempt = \(at.attempt)")
        if rows.first?.first?.number != 1 {
            world.violate("\(at) is released with \(rows.first?.first?.number ?? 0) charges")
        }
    }

    private func contributions(of at: RoundAttempt) -> [(agent: String, digest: Digest)] {
        look(
            """
            SELECT agent, updateDigest FROM contributions
                WHERE round = \(at.round) AND attempt = \(at.attempt) AND lost IS NULL
            """
        ).compactMap { row in
            guard case .bytes(let bytes) = row[1], let digest = Digest(bytes: bytes) else {
                return nil
            }
            return (row[0].text, digest)
        }
    }

    /// What is recorded for an agent, that agent made.
    private func checkContributions() {
        for row in look("SELECT updateDigest, agent FROM contributions") {
            guard case .bytes(let bytes) = row[0], let digest = Digest(bytes: bytes),
                made[Key(maker: row[1].text, digest: digest)] == nil
            else { continue }
            world.violate("an update is counted for \(row[1].text), who never made it")
        }
    }

    /// Versions have no gap, and each but the first is of one round.
    private func checkVersions() {
        var next: [String: Int] = [:]
        for row in look("SELECT plan, version FROM models ORDER BY plan, version") {
            if row[1].number != next[row[0].text, default: 0] {
                world.violate("version \(row[1].number) of \(row[0].text) follows a gap")
            }
            next[row[0].text, default: 0] += 1
        }
        let twice = look(
            "SELECT round FROM models WHERE round > 0 GROUP BY round HAVING COUNT(*) > 1")
        if !twice.isEmpty { world.violate("a round published two versions") }
    }

    // MARK: At the end

    /// The newest version of each plan.
    var newestVersions: [String: UInt64] {
        look("SELECT plan, MAX(version) FROM models GROUP BY plan").reduce(into: [:]) {
            $0[$1[0].text] = UInt64($1[1].number)
        }
    }

    /// What has not ended: rounds and jobs.
    var unfinished: [String] {
        look(
            """
            SELECT 'round ' || id || ' of ' || plan || ' is ' || phase FROM rounds
                WHERE phase NOT IN ('published', 'abandoned')
            UNION ALL
            SELECT 'job ' || id || ' of ' || plan || ' is ' || state FROM jobs
                WHERE state = 'running'
            """
        ).map { $0[0].text }
    }

    /// Everything that was ever to hold holds now.
    func checkEnd() {
        for row in look("SELECT id, attempt FROM rounds WHERE aggregateDigest IS NOT NULL")
        where released[attempt(row)] == nil { world.violate("\(attempt(row)) was released unseen") }
        checkVersions()
        checkContributions()
        let unsaid = look("SELECT id FROM rounds WHERE phase = 'abandoned' AND reason = ''")
        if !unsaid.isEmpty { world.violate("a round is abandoned and nobody knows why") }
        for row in look("SELECT id, attempt FROM rounds WHERE phase = 'published'")
        where released[attempt(row)] == nil {
            world.violate("\(attempt(row)) is published and was never released")
        }
    }

    /// An audit of the registry agrees with its log. It takes as long as half a world does.
    func audit() {
        do throws(Fault) {
            for finding in try disk.audit() { world.violate("the audit finds: \(finding)") }
        } catch { world.violate("the registry cannot be audited: \(error)") }
    }

    /// What became of the rounds, for people.
    var summary: String {
        look("SELECT phase, COUNT(*) FROM rounds GROUP BY phase ORDER BY phase")
            .map { "\($0[1].number) \($0[0].text)" }.joined(separator: ", ")
    }

    // MARK: Looking

    private func look(_ sql: String) -> [[SimulatedDisk.Value]] {
        do throws(Fault) { return try disk.rows(sql) } catch {
            world.violate("the registry cannot be read: \(error)")
            return []
        }
    }

    private func attempt(_ row: [SimulatedDisk.Value]) -> RoundAttempt {
        RoundAttempt(
            round: RoundID(UInt64(row[0].number)), attempt: UInt32(row[1].number))
    }
}

extension SimulatedDisk.Value {
    /// The text, empty for anything else.
    var text: String { if case .text(let text) = self { text } else { "" } }
    /// The whole number, -1 for anything else.
    var number: Int { if case .integer(let number) = self { Int(number) } else { -1 } }
}
