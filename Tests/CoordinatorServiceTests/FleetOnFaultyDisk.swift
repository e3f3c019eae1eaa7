import CoordinatorService
import Cryptography
import Federation
import Foundation
import Registry
import Synchronization
import Testing
import Wire

/// A coordinator without sockets, with one agent whose certificate is due for renewal, on a disk that fails as a test says.
struct FleetOnFaultyDisk {
    let faults = DiskFaultsOnDemand()
    let disk: SimulatedDisk
    /// What the agent enrolled with.
    let agent: Certificate
    private let admin: Certificate
    private let coordinator: SimulatedCoordinator

    static func run(_ body: (FleetOnFaultyDisk) async throws -> Void) async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let fleet = try await FleetOnFaultyDisk(directory)
            do { try await body(fleet) } catch {
                await fleet.coordinator.stop()
                throw error
            }
            await fleet.coordinator.stop()
        }
    }

    private init(_ directory: TemporaryDirectory) async throws {
        let day: Int64 = 86_400
        (agent, _) = try await FleetUnderTest.enrol(
            in: directory, issued: Int64(Date().timeIntervalSince1970) - 61 * day,
            seconds: 90 * day)
        let state = try StateDirectory(path: directory.file("state"))
        admin = try Certificate(pemFile: state.adminFolder + "/admin.crt")
        let fixture = try await SimulatedCoordinator.Fixture(state)
        disk = try SimulatedDisk(copying: state.path)
        coordinator = SimulatedCoordinator(
            fixture, registry: try Registry(on: disk, faults: faults, log: fixture.log),
            surroundings: .system)
        try await coordinator.start()
    }

    /// Says `message` over a connection of its own; a `Failure` is thrown as its fault.
    @discardableResult
    func ask(_ message: Message, showing certificate: Certificate) async throws -> Message {
        var conversation = try SimulatedCoordinator.Conversation(
            with: coordinator, showing: certificate, isConnected: { true })
        let answer = try #require(await conversation.answer(message))
        if case .failure(let failure) = answer { throw Fault(failure) }
        return answer
    }

    // MARK: The agent

    func renew() async throws -> Certificate {
        let request = RenewRequest(
            certificateRequest: try CertificateRequest.make(key: try PrivateKey.generate(.p256)))
        guard
            case .renewResponse(let response) = try await ask(
                .renewRequest(request), showing: agent)
        else { throw Fault(.internal, "not a new certificate") }
        return try Certificate(der: response.certificate)
    }

    @discardableResult
    func checkIn(
        _ plans: [PlanReadiness] = [], showing certificate: Certificate? = nil
    ) async throws -> CheckInResponse {
        let request = CheckInRequest(agentVersion: "test", plans: plans)
        guard
            case .checkInResponse(let response) = try await ask(
                .checkInRequest(request), showing: certificate ?? agent)
        else { throw Fault(.internal, "not the answer to a check-in") }
        return response
    }

    // MARK: The admin

    @discardableResult
    func command(_ request: AdminRequest) async throws -> AdminResponse {
        guard
            case .adminResponse(let response) = try await ask(
                .adminRequest(request), showing: admin)
        else { throw Fault(.internal, "not an admin's answer") }
        return response
    }

    func apply(_ plan: TinyPlan) async throws {
        try await command(.planApply(PlanApply(text: Array(plan.text.utf8))))
    }

    /// The plan `tiny` once `isReached`, or as it is when that takes too long.
    func plan(until isReached: (PlanRecord) -> Bool) async throws -> PlanRecord {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            guard case .plan(let plan) = try await command(.planShow(PlanShow(plan: "tiny"))) else {
                throw Fault(.internal, "not a plan")
            }
            if isReached(plan) || ContinuousClock.now > end { return plan }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// Refuses the commands that a test names, or keeps one from returning.
final class DiskFaultsOnDemand: DiskFaults {
    private struct State {
        var refused: [String] = []
        var refusals = 0
        var held: String?
        var isHolding = false
    }

    private let state = Mutex(State())

    /// Refuses every command that begins with one of `commands` from now on.
    func refuse(_ commands: [String]) { state.withLock { $0.refused = commands } }

    /// How many commands were refused.
    var refusals: Int { state.withLock { $0.refusals } }

    /// Lets the next command that begins with `command` happen, and keeps that from its caller until `release`.
    func hold(_ command: String) { state.withLock { $0.held = command } }

    var isHolding: Bool { state.withLock { $0.isHolding } }

    func release() { state.withLock { $0.isHolding = false } }

    func before(_ command: String) async throws(Fault) {
        let isRefused = state.withLock { state in
            let isRefused = state.refused.contains { command.hasPrefix($0) }
            if isRefused { state.refusals += 1 }
            return isRefused
        }
        if isRefused { throw Fault(.storage, "cannot \(command): the test's disk is full") }
    }

    func after(_ command: String) async throws(Fault) {
        let isHeld = state.withLock { state in
            guard let held = state.held, command.hasPrefix(held) else { return false }
            state.held = nil
            state.isHolding = true
            return true
        }
        while isHeld, isHolding { try? await Task.sleep(for: .milliseconds(5)) }
    }
}
