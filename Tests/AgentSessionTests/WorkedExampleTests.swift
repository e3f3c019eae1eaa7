import AgentSession
import Federation
import Testing

@Suite("The worked example of AgentSession")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        var rules = ParticipationRules()
        rules.onlyOnMains = true
        var device = DeviceConditions()
        device.power = .battery(percent: 80)
        let refusal = Eligibility.refusal(device, rules)  // a fault that says why

        #expect(refusal != nil)
        device.power = .mains
        #expect(Eligibility.refusal(device, rules) == nil)
    }
}
