import AgentService
import AgentSession
import Federation
import Wire

/// A device in the simulated world: the agent's own session machine, its actions performed over the simulated network
/// and disk.
final class Device {
    /// What kept an action from succeeding, by what it cost, as the agent has it.
    enum Setback {
        case connection(Fault)
        case refusal(Fault)
        case local(Fault)
        case model(Fault)
    }

    let name: String
    let member: Template.Member
    let world: World
    let network: Network
    let auditor: Auditor
    let plans: [PlanID]
    var disk = DeviceDisk()
    var machine: AgentSessionMachine
    var connection: Connection?
    /// Counts the processes; what an earlier one was waiting for never comes.
    private var life = 0
    private(set) var isUp = false
    /// Refused for good: revoked.
    private(set) var isRefused = false
    /// Its owner wants it out of the fleet.
    var isLeaving = false
    /// It is, and nothing of it is left.
    private(set) var hasLeft = false
    /// When the last check-in was answered.
    private(set) var lastCheckIn = -1.0
    /// Counts the questions; an answer that comes too late is to none of them.
    private var question = 0
    private var answered: ((Message) -> Void)?

    init(
        _ member: Template.Member, plans: [PlanID], world: World, network: Network,
        auditor: Auditor
    ) {
        name = member.name
        self.member = member
        self.plans = plans
        self.world = world
        self.network = network
        self.auditor = auditor
        machine = Self.machine(plans, disk, world)
    }

    /// What a process begins with, from what the disk kept.
    private static func machine(
        _ plans: [PlanID], _ disk: DeviceDisk, _ world: World
    ) -> AgentSessionMachine {
        AgentSessionMachine(
            follows: Set(plans), trustSetVersion: 1,
            pending: disk.pending, adopted: disk.plans, interrupted: disk.marker,
            random: SeededRandom(seed: world.draw()))
    }

    // MARK: Life and death

    func start() {
        guard !isUp, !hasLeft else { return }
        world.note("\(name) starts")
        isUp = true
        life += 1
        machine = Self.machine(plans, disk, world)
        perform(AgentSessionMachine.firstAction)
    }

    /// kill -9; it is started again after a while.
    func kill() {
        guard isUp else { return }
        world.note("\(name) is killed")
        stop()
        world.after(world.draw(from: 0.1, to: 20)) { [weak self] in self?.start() }
    }

    /// It ends, and is not started again.
    func end() {
        hasLeft = true
        stop()
    }

    private func stop() {
        isUp = false
        life += 1
        answered = nil
        connection?.toDevice = nil
        connection?.kill(.device)
        connection = nil
    }

    /// Calls `body` after `seconds` unless the process has ended by then.
    func later(_ seconds: Double, _ body: @escaping () -> Void) {
        let life = self.life
        world.after(seconds) { [weak self] in
            if self?.life == life { body() }
        }
    }

    /// Writes to the disk; false when the process was killed meanwhile, before or after.
    func write(_ body: () -> Void) -> Bool {
        guard world.happens(network.hazards.killAtWrite) else {
            body()
            return true
        }
        if world.happens(0.5) { body() }
        kill()
        return false
    }

    // MARK: The machine

    /// Tells the machine of an event, and does next what it wants.
    func feed(_ event: (inout AgentSessionMachine) -> AgentAction) {
        let action = event(&machine)
        later(0) { [self] in perform(action) }
    }

    func setBack(_ setback: Setback) {
        let now = world.now
        switch setback {
        case .connection(let fault):
            isRefused = isRefused || fault.code == .forbidden
            close()
            feed { $0.connectionFailed(fault, now: now) }
        case .refusal(let fault):
            isRefused = isRefused || fault.code == .forbidden
            feed { $0.refused(fault, now: now) }
        case .local(let fault): feed { $0.failedLocally(fault, now: now) }
        case .model(let fault): feed { $0.modelRefused(fault, now: now) }
        }
    }

    // MARK: The connection

    func connect(_ done: @escaping (Bool) -> Void) {
        close()
        let life = self.life
        network.connect(name, showing: member.certificate) { [weak self] connection in
            guard let self, self.life == life else {
                connection?.close(by: .device)
                return
            }
            self.connection = connection
            connection?.toDevice = { [weak self, weak connection] in
                guard let connection else { return }
                self?.hear($0, on: connection)
            }
            done(connection != nil)
        }
    }

    func close() {
        connection?.toDevice = nil
        connection?.close(by: .device)
        connection = nil
    }

    private func hear(_ message: Result<Message, Fault>?, on connection: Connection) {
        guard connection === self.connection else { return }
        switch message {
        case .success(let message):
            guard let answered else { return }
            self.answered = nil
            answered(message)
        case .failure(let fault):
            world.violate("\(name) cannot read what the coordinator says: \(fault)")
        case nil:
            close()
            guard answered != nil else { return }
            answered = nil
            lost?(Fault(.unavailable, "the connection broke"))
        }
    }

    private var lost: ((Fault) -> Void)?

    /// Sends `message` and calls `answer` with what comes back, or `lost` when nothing does.
    func exchange(
        _ message: Message, waitSeconds: Double = 0, lost: @escaping (Fault) -> Void,
        answer: @escaping (Message) -> Void
    ) {
        guard let connection else {
            return later(0) { lost(Fault(.unavailable, "there is no connection")) }
        }
        question += 1
        let question = self.question
        self.lost = lost
        answered = answer
        connection.send(message, from: .device)
        later(waitSeconds + 30) { [self] in
            guard self.question == question, answered != nil else { return }
            answered = nil
            lost(Fault(.unavailable, "the coordinator did not answer"))
        }
    }

    /// As `exchange`, for an action of the machine: failures are its setbacks.
    func ask(
        _ message: Message, waitSeconds: Double = 0, answer: @escaping (Message) -> Void
    ) {
        exchange(
            message, waitSeconds: waitSeconds,
            lost: { [self] in setBack(.connection($0)) },
            answer: { [self] message in
                switch message {
                case .failure(let failure) where failure.closing:
                    setBack(.connection(Fault(failure)))
                case .failure(let failure): setBack(.refusal(Fault(failure)))
                default: answer(message)
                }
            })
    }

    /// The coordinator answered with something that does not belong here.
    func unexpected(_ message: Message) {
        world.violate("\(name) got an answer that does not belong there: \(message)")
    }

    func hasCheckedIn() {
        lastCheckIn = world.seconds
    }
}
