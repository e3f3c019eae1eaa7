import Configuration
import Cryptography
import Federation
import Provenance
import Registry
import Rounds
import Wire

extension Fleet {
    /// Answers a check-in: an assignment, news of a plan, or when to come back. Holds the answer while there is nothing
    /// to say, as long as the agent offers and the configuration allows.
    ///
    /// - Parameter isConnected: whether the agent can still hear the answer; one that cannot is given no place in a round.
    func checkIn(
        _ agent: AgentID, _ request: CheckInRequest, isConnected: @Sendable () -> Bool
    ) async throws(Fault) -> CheckInResponse {
        try await compareLog(with: request.logCheckpoint, of: agent)
        try await remember(agent, request)
        let hold = PaceSteering.hold(
            offered: request.waitSeconds, limit: configuration.checkInWaitSeconds)
        let deadline = clock.now.advanced(bySeconds: hold)
        presence[agent]?.isHeard(at: clock.now, againWithin: hold)
        while true {
            let ticket = offers.generation
            try admit(agent)
            guard isConnected() else { throw Fault(.gone, "agent \(agent) hung up") }
            if let assignment = try await assignment(for: agent) {
                counts.told(.assignment)
                return try await response(to: agent, next: .assignment(assignment))
            }
            if hasNews(for: agent) {
                counts.told(.news)
                return try await response(to: agent, next: .comeBackSeconds(0))
            }
            let now = clock.now
            guard now < deadline, !Task.isCancelled else {
                let pace = PaceSteering(
                    comeBackSeconds: Double(configuration.comeBackSeconds))
                let delay = pace.delay(random: &random)
                presence[agent]?.isHeard(at: now, againWithin: Double(delay))
                counts.told(.comeBack)
                return try await response(to: agent, next: .comeBackSeconds(delay))
            }
            await offers.wait(after: ticket, seconds: deadline.seconds(since: now))
        }
    }

    private func remember(_ agent: AgentID, _ request: CheckInRequest) async throws(Fault) {
        var readiness: [PlanID: Readiness] = [:]
        for item in request.plans {
            guard let plan = PlanID(item.plan) else { continue }
            readiness[plan] = Readiness(
                plan: plan, planDigest: Digest(bytes: item.planDigest), examples: item.examples,
                unreadable: item.unreadable,
                modelVersion: item.hasModel ? item.modelVersion : nil)
        }
        presence[agent, default: Presence()].readiness = readiness
        presence[agent]?.trustSet.held = request.trustSetVersion
        presence[agent]?.unavailable = request.unavailable
        try await note(
            AgentSighting(
                version: request.agentVersion, cpuFeatures: request.cpuFeatures,
                memoryKiB: request.memoryKib, trustSetVersion: request.trustSetVersion,
                plans: readiness.values.sorted { $0.plan.name < $1.plan.name }), of: agent)
    }

    /// An agent that says the same again is only written down this often, in seconds: a large fleet would otherwise keep
    /// the disk busy with the news that nothing is new.
    private static let repeatSeconds = 600.0

    private func note(_ sighting: AgentSighting, of agent: AgentID) async throws(Fault) {
        let now = clock.now
        let unix = clock.unixSeconds
        presence[agent]?.seenUnix = unix
        guard storage == .serving else { return }
        if let noted = presence[agent]?.noted, noted.sighting == sighting,
            now.seconds(since: noted.at) < Self.repeatSeconds
        {
            return
        }
        // Nothing follows from it: when it is not, the next check-in is written down.
        let isNoted = try await storingIfPossible { () throws(Fault) in
            try await registry.sawAgent(
                agent, nowUnix: unix, version: sighting.version, cpuFeatures: sighting.cpuFeatures,
                memoryKiB: sighting.memoryKiB, trustSetVersion: sighting.trustSetVersion,
                plans: sighting.plans)
        }
        guard isNoted else { return }
        presence[agent]?.noted = (sighting, now)
    }

    /// What an agent should know of a plan now.
    private func news(of plan: PlanRuntime) -> PlanNews {
        PlanNews(digest: plan.digest, version: plan.serving?.version)
    }

    /// Whether the trust set, or a plan the agent follows, differs from what it has and from what it was told.
    private func hasNews(for agent: AgentID) -> Bool {
        guard let here = presence[agent] else { return false }
        if max(here.trustSet.held, here.trustSet.told) < keys.trustSet.version { return true }
        return here.readiness.values.contains { readiness in
            guard let plan = plans[readiness.plan] else { return false }
            let news = news(of: plan)
            let has = PlanNews(
                digest: readiness.planDigest ?? plan.digest, version: readiness.modelVersion)
            return (has != news || readiness.planDigest == nil) && here.told[readiness.plan] != news
        }
    }

    private func response(
        to agent: AgentID, next: CheckInResponse.Next
    ) async throws(Fault) -> CheckInResponse {
        // Asked for before anything is noted as told.
        let checkpoint = try await newestCheckpoint()
        presence[agent]?.trustSet.told = keys.trustSet.version
        var states: [PlanState] = []
        let named = (presence[agent]?.readiness.keys).map(Set.init) ?? []
        for id in named.union(plansMeant(by: named)) {
            guard let plan = plans[id] else { continue }
            if named.contains(id) { presence[agent]?.told[id] = news(of: plan) }
            states.append(
                PlanState(
                    plan: id.name, planDigest: plan.digest.bytes, planSize: plan.textSize,
                    serving: plan.serving.map(ModelRef.init)))
        }
        states.sort { $0.plan < $1.plan }
        return CheckInResponse(
            plans: states, trustSetVersion: keys.trustSet.version, logCheckpoint: checkpoint.note,
            next: next)
    }

    /// The plans with the names nearest to those that there are not, so that a device can tell its owner of a mistake.
    private func plansMeant(by named: Set<PlanID>) -> [PlanID] {
        let strange = named.filter { plans[$0] == nil }
        guard !strange.isEmpty else { return [] }
        let known = plans.keys.map(\.name).sorted()
        return strange.compactMap { nearest(to: $0.name, among: known).flatMap { PlanID($0) } }
    }

    /// Offers the agent a place in an open round of a plan it can train.
    private func assignment(for agent: AgentID) async throws(Fault) -> Assignment? {
        // Whoever takes no work still hears news.
        guard let here = presence[agent], here.unavailable.isEmpty, storage == .serving else {
            return nil
        }
        let readiness = here.readiness
        for id in readiness.keys.sorted(by: { $0.name < $1.name }) {
            guard let round = rounds[id], readiness[id]?.isReady(forPlan: round.plan.digest) == true
            else { continue }
            do throws(Fault) {
                if let assignment = try await offer(round, to: agent) { return assignment }
            } catch {
                // The round may have ended while the registry was asked; there may be another.
                guard error.code == .gone else { throw error }
            }
        }
        return nil
    }

    private func offer(_ round: ActiveRound, to agent: AgentID) async throws(Fault) -> Assignment? {
        let isPrivate = round.machine.rules.isPrivate
        let coin = isPrivate ? try await coin(of: agent, in: round) : true
        // The registry was asked meanwhile: the round may have closed.
        switch round.machine.offer(to: agent, coin: coin, now: clock.now) {
        case .assign(let seconds):
            if isPrivate {
                // It counts as here like those who were passed over: who went to work could be counted.
                presence[agent]?.isHeard(at: clock.now, againWithin: seconds)
            } else {
                presence[agent]?.goesToWork()
            }
            round.events.fire()
            progress.fire()
            // Without privacy everyone's coin says yes, so what counts is who got a place.
            if !isPrivate {
                _ = try await store(coin: true, of: agent, in: round)
            }
            counts[round.plan.plan.id].assigned += 1
            return assignment(of: round, to: agent, reportSeconds: seconds)
        case .passedOver:
            round.events.fire()
            return nil
        case .resolved, .closed: return nil
        }
    }

    /// The agent's coin for a private round: drawn once, stored before it is used, never drawn again.
    private func coin(of agent: AgentID, in round: ActiveRound) async throws(Fault) -> Bool {
        guard round.machine.standing(of: agent) == nil, round.machine.takesNewMembers else {
            return true
        }
        let drawn = round.machine.rules.drawCoin(random: &random)
        return try await store(coin: drawn, of: agent, in: round)
    }

    private func store(
        coin: Bool, of agent: AgentID, in round: ActiveRound
    ) async throws(Fault) -> Bool {
        try await storing { () throws(Fault) in
            try await registry.recordCoin(round.at, agent: agent, selected: coin)
        }
    }

    private func assignment(
        of round: ActiveRound, to agent: AgentID, reportSeconds: Double
    ) -> Assignment {
        Assignment(
            plan: round.plan.plan.id.name, planDigest: round.plan.digest.bytes,
            round: round.at.round.number, attempt: round.at.attempt,
            baseModel: ModelRef(round.base),
            lattice: LatticeSpec(round.lattice, id: round.latticeID),
            reportSeconds: UInt32(max(1, reportSeconds.rounded(.down))),
            leaseSeconds: UInt32(max(1, round.machine.rules.leaseSeconds)),
            submitToken: keys.submitToken(round.at, agent: agent))
    }
}

extension ModelRef {
    /// Where a stored version's two files are.
    init(_ model: StoredModel) {
        self.init(
            plan: model.plan.name, version: model.version, modelDigest: model.modelDigest.bytes,
            modelSize: model.modelSize, signatureDigest: model.signatureDigest.bytes,
            signatureSize: model.signatureSize)
    }
}
