import CoordinatorService
import Federation
import Registry
import Wire

/// One world from its beginning, through its troubles, to the quiet in which everything must come to an end.
final class Scenario {
    /// What one seed came to.
    struct Outcome {
        let seed: UInt64
        /// What was found wrong; empty: nothing.
        let violations: [String]
        /// Equal for equal worlds.
        let trace: UInt64
        /// What happened, in a line.
        let summary: String
    }

    /// When the trouble is over, everything is settled within this time: a few rounds of both plans.
    private static let quietSeconds = 900.0

    private let seed: UInt64
    private let template: Template
    private let world: World
    private let network: Network
    private let auditor: Auditor
    private let machine: CoordinatorMachine
    private let devices: [Device]
    private let hostile: [HostileAgent]
    private let administrator: Administrator

    init(
        seed: UInt64, template: Template, plantedBug: PlantedBug?,
        journal: ((String) -> Void)? = nil
    ) throws(Fault) {
        self.seed = seed
        self.template = template
        world = World(seed: seed, unixMilliseconds: template.unixMilliseconds)
        world.journal = journal
        let hazards = Hazards(world)
        journal?("\(hazards)")
        network = Network(world: world, hazards: hazards)
        let disk = try template.disk.copy()
        auditor = Auditor(world: world, disk: disk, plans: template.plans)
        machine = CoordinatorMachine(
            template, disk: disk, world: world, network: network, auditor: auditor,
            plantedBug: plantedBug)
        let plans = template.plans.keys.sorted().compactMap(PlanID.init)
        let (world, network, auditor) = (world, network, auditor)
        devices = template.agents.dropLast(hazards.hostileAgents).map {
            Device($0, plans: plans, world: world, network: network, auditor: auditor)
        }
        hostile = template.agents.suffix(hazards.hostileAgents).map {
            HostileAgent($0, world: world, network: network, auditor: auditor)
        }
        administrator = Administrator(template.admin, world: world, network: network)
    }

    /// Runs the world.
    func run() -> Outcome {
        begin()
        trouble()
        let troubled = network.hazards.troubledSeconds
        let quiet = world.seconds + troubled
        world.after(troubled) { [self] in
            world.note("quiet")
            network.hazards.end()
            network.heal()
            machine.recover()
        }
        let isTold = Box(false)
        look(every: 1) { [self] in
            if world.seconds > quiet, isSettled(since: quiet) { isTold.value = true }
        }
        let end = quiet + Self.quietSeconds
        _ = world.run { isTold.value || world.seconds > end }
        if world.violations.isEmpty, !isTold.value { tellWhatIsStuck(since: quiet) }
        if world.violations.isEmpty { auditor.checkEnd() }
        if world.violations.isEmpty, seed.isMultiple(of: 5) { auditor.audit() }
        let outcome = Outcome(
            seed: seed, violations: world.violations, trace: world.trace,
            summary: auditor.summary)
        machine.process?.end()
        for agent in hostile { agent.end() }
        for device in devices { device.end() }
        world.end()
        machine.disk.close()
        return outcome
    }

    // MARK: Beginning

    private func begin() {
        machine.start()
        for device in devices {
            world.after(world.draw(from: 0, to: 10)) { device.start() }
        }
        for agent in hostile { agent.start() }
        for (index, plan) in template.plans.keys.sorted().enumerated()
        where index == 0 || world.happens(0.7) {
            for job in 0..<world.draw(1...2) {
                let rounds = UInt32(world.draw(1...2))
                world.after(world.draw(from: 2, to: 40)) { [administrator] in
                    administrator.wish(
                        .roundStart(
                            RoundStart(
                                plan: plan, rounds: rounds, idempotencyKey: "key-\(job)")),
                        "\(rounds) rounds of \(plan)")
                }
            }
        }
    }

    // MARK: Trouble

    private func trouble() {
        let hazards = network.hazards
        again(hazards.coordinatorKillEvery) { [machine] in machine.process?.kill() }
        again(hazards.deviceKillEvery) { [devices, world] in
            devices.randomElement(in: world)?.kill()
        }
        again(hazards.partitionEvery) { [devices, world, network] in
            guard let device = devices.randomElement(in: world) else { return }
            network.cutOff(device.name, seconds: world.draw(from: 0.5, to: 60))
        }
        again(hazards.clockJumpEvery) { [world] in
            world.note("the wall clock is set")
            world.setWallClock(by: world.draw(from: -86_400, to: 86_400))
        }
        again(hazards.diskOutageEvery) { [machine, world] in
            machine.refuseWrites(seconds: world.draw(from: 0.5, to: 25))
        }
        again(hazards.cancel > 0 ? 10 : 0) { [self] in cancelOne() }
        if hazards.pauses {
            world.after(world.draw(from: 0, to: 40)) { [self] in pauseOne() }
        }
        if hazards.revokes {
            world.after(world.draw(from: 5, to: 60)) { [self] in
                guard let device = devices.first else { return }
                administrator.wish(
                    .agentRevoke(AgentRevoke(agent: device.name, reason: "lost")),
                    "\(device.name) is revoked")
            }
        }
        if hazards.leaves { takeOneOut() }
    }

    /// Apart from the one that is revoked.
    private func takeOneOut() {
        world.after(world.draw(from: 0, to: 60)) { [devices] in devices.last?.leave() }
    }

    /// Has `body` called again and again, `seconds` apart on average, while there is trouble.
    private func again(_ seconds: Double, _ body: @escaping () -> Void) {
        guard seconds > 0, world.seconds < network.hazards.troubledSeconds else { return }
        world.after(world.draw(from: 0, to: 2 * seconds)) { [self] in
            guard network.hazards.troubledSeconds > world.seconds else { return }
            body()
            again(seconds, body)
        }
    }

    private func pauseOne() {
        let plan = template.plans.keys.sorted().randomElement(in: world) ?? ""
        administrator.wish(
            .planPause(PlanPause(plan: plan, reason: "a look at it")), "\(plan) is paused")
        world.after(world.draw(from: 1, to: 60)) { [administrator] in
            administrator.wish(.planResume(PlanResume(plan: plan)), "\(plan) goes on")
        }
    }

    private func cancelOne() {
        guard world.happens(network.hazards.cancel),
            let row = try? machine.disk.rows(
                "SELECT id FROM rounds WHERE phase NOT IN ('published', 'abandoned')"
            ).first
        else { return }
        administrator.wish(
            .roundCancel(RoundCancel(round: UInt64(row[0].number), reason: "no more")),
            "round \(row[0].number) is cancelled")
    }

    // MARK: The end

    private func look(every seconds: Double, _ body: @escaping () -> Void) {
        world.after(seconds) { [self] in
            body()
            look(every: seconds, body)
        }
    }

    private func isSettled(since quiet: Double) -> Bool {
        guard administrator.isDone, auditor.unfinished.isEmpty else { return false }
        return devices.allSatisfy { isSettled($0, since: quiet) }
    }

    private func isSettled(_ device: Device, since quiet: Double) -> Bool {
        // The one that is revoked in such a world, as soon as it knows.
        if network.hazards.revokes, device === devices.first, device.isRefused { return true }
        if device.isLeaving { return device.hasLeft }
        return device.lastCheckIn > quiet
            && auditor.newestVersions.allSatisfy { name, version in
                PlanID(name).flatMap { device.disk.models[$0] } == version
            }
    }

    private func tellWhatIsStuck(since quiet: Double) {
        for what in auditor.unfinished { world.violate("\(what) and does not end") }
        if !administrator.isDone { world.violate("the admin gets no answer") }
        for device in devices where !isSettled(device, since: quiet) {
            world.violate(
                "\(device.name) is not known: last check-in at \(device.lastCheckIn), models"
                    + " \(device.disk.models.map { "\($0.key) \($0.value)" }.sorted())")
        }
        if world.violations.isEmpty { world.violate("the world does not settle") }
    }
}

/// A value that closures share.
final class Box<Value> {
    var value: Value

    init(_ value: Value) { self.value = value }
}
