import CoordinatorService
import Federation
import Registry
import Wire

/// One life of the coordinator, from its start to its end by kill -9.
final class CoordinatorProcess: DiskFaults {
    /// How many coordinators came before it.
    let number: Int
    private let world: World
    private let network: Network
    private let auditor: Auditor
    private let disk: SimulatedDisk
    private let thread: SimulatedThread
    private let clock: VirtualClock
    private let boot: MonotonicInstant
    nonisolated(unsafe) private let outageEnds: () -> Double
    nonisolated(unsafe) private let onDeath: () -> Void
    nonisolated(unsafe) private(set) var isDead = false
    nonisolated(unsafe) private var isLast = false
    nonisolated(unsafe) private var isServing = false
    /// Whether the disk refused something in this life.
    nonisolated(unsafe) private var hadDiskFault = false
    nonisolated(unsafe) private var coordinator: SimulatedCoordinator?
    nonisolated(unsafe) private var connections: [Connection] = []
    nonisolated(unsafe) private var sessions: [Task<Void, Never>] = []

    init(
        number: Int, world: World, network: Network, auditor: Auditor, disk: SimulatedDisk,
        boot: MonotonicInstant, outageEnds: @escaping () -> Double,
        onDeath: @escaping () -> Void
    ) {
        self.number = number
        self.world = world
        self.network = network
        self.auditor = auditor
        self.disk = disk
        self.boot = boot
        self.outageEnds = outageEnds
        self.onDeath = onDeath
        thread = world.thread()
        clock = VirtualClock(of: world, since: boot)
    }

    // MARK: Life and death

    /// Starts the daemon on its disk; it then listens, or dies and is started again.
    func start(_ template: Template, plantedBug: PlantedBug?) {
        world.note("coordinator \(number) starts")
        let surroundings = Surroundings(
            clock: clock, executor: thread, randomness: randomness,
            bootID: "boot at \(boot.nanoseconds)", plantedBug: plantedBug)
        Task(executorPreference: thread) {
            do {
                let registry = try Registry(on: self.disk, faults: self, log: template.fixture.log)
                let coordinator = SimulatedCoordinator(
                    template.fixture, registry: registry, surroundings: surroundings,
                    logLevel: template.logLevel)
                self.coordinator = coordinator
                try await coordinator.start()
                self.serve()
            } catch {
                self.failed(error)
            }
        }
    }

    private func serve() {
        guard !isDead else { return }
        world.note("coordinator \(number) serves")
        isServing = true
        network.listener = { [weak self] in self?.accept($0) }
    }

    private func failed(_ error: any Error) {
        guard !isDead else { return }
        if !hadDiskFault { world.violate("the coordinator does not start: \(error)") }
        kill()
    }

    /// kill -9.
    func kill() {
        guard !isDead else { return }
        world.note("coordinator \(number) is killed")
        isDead = true
        if isServing { network.listener = nil }
        for connection in connections { connection.kill(.coordinator) }
        for session in sessions { session.cancel() }
        clock.end()
        thread.end()
        if let coordinator { Task(executorPreference: thread) { await coordinator.stop() } }
        coordinator = nil
        sessions = []
        connections = []
        // Nothing that a dead process still does can be seen; what it left in memory is freed this way.
        let thread = self.thread
        world.after(0.001) { [world] in world.end(thread) }
        if !isLast { onDeath() }
    }

    private var randomness: RoundRandomness {
        RoundRandomness(
            rotationSeed: { [world] in world.draw() },
            noise: { [auditor, number, world] in
                let seed = world.draw()
                auditor.drawsNoise(seed: seed, process: number)
                return SeededRandom(seed: seed)
            },
            fleet: { [world] in SeededRandom(seed: world.draw()) })
    }

    /// The world ends.
    func end() {
        // Whoever hears of its death would start another.
        isLast = true
        kill()
        while thread.readyCount > 0 { thread.run(at: 0) }
    }

    // MARK: Connections

    private func accept(_ connection: Connection) {
        guard let coordinator, !isDead else { return connection.kill(.coordinator) }
        connections.removeAll { !$0.isOpenForCoordinator }
        connections.append(connection)
        sessions.append(
            Task(executorPreference: thread) { [auditor, number] in
                await converse(
                    with: coordinator, over: connection, auditor: auditor, number: number)
            })
    }

    // MARK: The disk

    // A command that was not acknowledged has happened or not, as the seed has it: a kill may come before it or after it,
    // by the draws here or from outside while the disk takes its time.

    func before(_ command: String) async throws(Fault) {
        try refuseIfDead()
        await latency()
        if world.happens(network.hazards.killAtCommand) {
            world.note("killed before: \(command)")
            kill()
        }
        try refuseIfDead()
        if world.happens(network.hazards.diskFault) || isRefused(command) {
            world.note("the disk refuses: \(command)")
            hadDiskFault = true
            throw Fault(.storage, "cannot \(command): no space left on the simulated disk")
        }
    }

    func after(_ command: String) async throws(Fault) {
        let drafts = disk.takeDrafts()
        auditor.committed(command, by: number)
        if world.happens(network.hazards.killAtCommand) {
            world.note("killed after: \(command)")
            kill()
        }
        await latency()
        // Blobs that were written, and nobody knows whether they were synced.
        for draft in drafts where isDead && world.happens(0.5) {
            world.note("a blob is lost")
            disk.lose(draft)
        }
        try refuseIfDead()
    }

    /// Whether the disk, which takes no writes now, is to write.
    private func isRefused(_ command: String) -> Bool {
        guard world.seconds < outageEnds() else { return false }
        let verb = command.prefix { $0 != " " }
        return !["read", "list", "look", "count", "prove", "find"].contains(verb)
            || command.hasPrefix("count the update") || command.hasPrefix("count the traffic")
    }

    private func refuseIfDead() throws(Fault) {
        if isDead { throw Fault(.internal, "the process was killed") }
    }

    /// Others run meanwhile; now and then the disk takes its time.
    private func latency() async {
        if world.happens(0.02) {
            await clock.pause(seconds: world.draw(from: 0.001, to: 0.5))
        } else {
            await Task.yield()
        }
    }
}

/// One connection from its first message to its last, as the daemon's server has it.
@inline(never)
private func converse(
    with coordinator: SimulatedCoordinator, over connection: Connection, auditor: Auditor,
    number: Int
) async {
    do throws(Fault) {
        var conversation = try SimulatedCoordinator.Conversation(
            with: coordinator, showing: connection.certificate,
            isConnected: { connection.isOpenForCoordinator })
        while let received = await connection.next() {
            let message = try received.get()
            let wasGone = auditor.isGone(connection.peer)
            if let answer = await conversation.answer(message) {
                auditor.answers(
                    answer, to: message, from: connection.peer, wasGone: wasGone, process: number)
                connection.send(answer, from: .coordinator)
            }
        }
    } catch {
        connection.send(.failure(Failure(error, closing: true)), from: .coordinator)
    }
    connection.close(by: .coordinator)
}
