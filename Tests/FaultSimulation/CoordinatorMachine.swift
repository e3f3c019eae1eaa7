import CoordinatorService
import Federation
import Registry

/// The machine that the coordinator runs on: its disk outlives it, and it is started again whenever it dies.
final class CoordinatorMachine: Sendable {
    let disk: SimulatedDisk
    private let world: World
    private let network: Network
    private let auditor: Auditor
    private let template: Template
    private let plantedBug: PlantedBug?
    nonisolated(unsafe) private(set) var process: CoordinatorProcess?
    nonisolated(unsafe) private var lives = 0
    /// When the machine itself was started last.
    nonisolated(unsafe) private var boot: MonotonicInstant
    /// Until when its disk refuses writes.
    nonisolated(unsafe) private(set) var outageEnds = 0.0

    init(
        _ template: Template, disk: SimulatedDisk, world: World, network: Network,
        auditor: Auditor, plantedBug: PlantedBug?
    ) {
        self.template = template
        self.disk = disk
        self.world = world
        self.network = network
        self.auditor = auditor
        self.plantedBug = plantedBug
        boot = MonotonicInstant(nanoseconds: 0)
    }

    /// The disk refuses writes for so long.
    func refuseWrites(seconds: Double) {
        world.note("the disk refuses writes")
        outageEnds = world.seconds + seconds
    }

    /// The disk takes writes again.
    func recover() { outageEnds = 0 }

    func start() {
        lives += 1
        let process = CoordinatorProcess(
            number: lives, world: world, network: network, auditor: auditor, disk: disk,
            boot: boot, outageEnds: { [weak self] in self?.outageEnds ?? 0 },
            onDeath: { [weak self] in self?.startAgain() })
        self.process = process
        process.start(template, plantedBug: plantedBug)
    }

    private func startAgain() {
        let reboots = world.happens(0.2)
        world.after(world.draw(from: 0.1, to: 8)) { [weak self, world] in
            if reboots { self?.boot = world.now }
            self?.start()
        }
    }
}
