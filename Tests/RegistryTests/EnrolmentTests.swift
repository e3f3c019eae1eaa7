import Federation
import Foundation
import Registry
import Testing

@Suite("Enrolment")
struct EnrolmentTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private func enrol(
        _ number: Int, _ secret: String, at time: UInt64 = now
    ) async throws(Fault) {
        try await registry.enrol(
            agentID(number), secretDigest: digest(secret),
            certificate: ("0\(number)", digest("certificate \(number)"), now + 1000),
            nowUnix: time, event: event(.agentEnrolled, "\(number)"))
    }

    private func addToken(uses: Int) async throws {
        try await registry.addToken(
            secretDigest: digest("secret"), uses: uses, expiresUnix: now + 60, nowUnix: now,
            event: event(.tokenIssued, "t"))
    }

    @Test("of agents that race for a one-use token exactly one is enrolled")
    func race() async throws {
        try await addToken(uses: 1)
        let outcomes = await withTaskGroup(of: Fault.Code?.self) { group in
            for number in 1...8 {
                group.addTask {
                    do throws(Fault) {
                        try await enrol(number, "secret")
                        return nil
                    } catch { return error.code }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == nil }.count == 1)
        #expect(outcomes.filter { $0 == .unauthenticated }.count == 7)
        #expect(try await registry.agents().count == 1)
        #expect(try await registry.eventCount() == 2)
    }

    @Test("unknown, expired and used-up tokens are told apart")
    func refusals() async throws {
        try await addToken(uses: 2)
        var messages: Set<String> = []
        func refusal(_ number: Int, _ secret: String, at time: UInt64) async {
            let fault = await #expect(throws: Fault.self) {
                try await enrol(number, secret, at: time)
            }
            #expect(fault?.code == .unauthenticated)
            #expect(fault?.remedy.contains("new token") == true)
            messages.insert(fault?.message ?? "")
        }
        await refusal(1, "guess", at: now)
        await refusal(1, "secret", at: now + 60)
        try await enrol(1, "secret", at: now + 59)
        try await enrol(2, "secret")
        await refusal(3, "secret", at: now)
        #expect(
            messages == [
                "this fleet does not know the enrolment token", "the enrolment token has expired",
                "the enrolment token was already used 2 times",
            ])
        #expect(try await registry.eventCount() == 3)
    }

    @Test("a failed enrolment leaves no agent, no event and no used token")
    func atomic() async throws {
        try await addToken(uses: 2)
        try await enrol(1, "secret")
        #expect(
            await faultCode { try await enrol(1, "secret") } == .conflict)
        let sameSerial = await faultCode {
            try await registry.enrol(
                agentID(2), secretDigest: digest("secret"),
                certificate: ("01", digest("other"), now + 1000), nowUnix: now,
                event: event(.agentEnrolled, "2"))
        }
        #expect(sameSerial == .conflict)
        #expect(try await registry.eventCount() == 2)
        try await enrol(3, "secret")
        #expect(try await registry.agents().map(\.id.name) == ["agent-1", "agent-3"])
    }

    @Test("a token without uses, or stored twice, is refused")
    func badTokens() async throws {
        try await addToken(uses: 1)
        func add(_ secret: String, uses: Int) async -> Fault.Code? {
            await faultCode {
                try await registry.addToken(
                    secretDigest: digest(secret), uses: uses, expiresUnix: .max, nowUnix: now,
                    event: event(.tokenIssued, secret))
            }
        }
        #expect(await add("other", uses: 0) == .invalid)
        #expect(await add("secret", uses: 1) == .conflict)
        #expect(try await registry.eventCount() == 1)
    }
}
