import Federation
import Testing

@Suite("Names and identities")
struct IdentifiersTests {
    private static let bad = [
        "", "A", "1a", "-a", "a_b", "a b", "a/b", "a.b", "../a", "é", "aé", "a\n", "a\0",
    ]

    @Test("plan names of a-z, 0-9 and - that begin with a letter are valid up to 40 characters")
    func planNames() {
        for name in ["a", "fashion", "plan-2", "a--", String(repeating: "a", count: 40)] {
            #expect(PlanID(name)?.name == name)
        }
        #expect(PlanID(String(repeating: "a", count: 41)) == nil)
    }

    @Test("agent names are valid up to 64 characters and sort by name")
    func agentNames() throws {
        #expect(AgentID(String(repeating: "a", count: 64)) != nil)
        #expect(AgentID(String(repeating: "a", count: 65)) == nil)
        let names = try ["b", "a2", "a10"].map { try #require(AgentID($0)) }
        #expect(names.sorted().map(\.description) == ["a10", "a2", "b"])
    }

    @Test("other names are refused", arguments: bad)
    func badNames(name: String) {
        #expect(PlanID(name) == nil)
        #expect(AgentID(name) == nil)
        #expect(Identity(uri: "tributary://fleet/agent/\(name)") == nil)
        #expect(Identity(uri: "tributary://\(name)/agent/id") == nil)
    }

    @Test("an identity is read from its URI and written back", arguments: Role.allCases)
    func identity(role: Role) throws {
        let uri = "tributary://fleet-1/\(role.rawValue)/a-17"
        let identity = try #require(Identity(uri: uri))
        #expect(identity == Identity(fleet: "fleet-1", role: role, id: "a-17"))
        #expect(identity.uri == uri)
        #expect("\(identity)" == uri)
    }

    @Test(
        "a URI of another shape is no identity",
        arguments: [
            "", "tributary://", "tributary://fleet/agent", "tributary://fleet/agent/a/b",
            "tributary://fleet/agent/", "tributary:///agent/a", "tributary://fleet//a",
            "tributary://fleet/root/a", "tributary://fleet/Agent/a", "https://fleet/agent/a",
            "Tributary://fleet/agent/a", " tributary://fleet/agent/a", "tributary://fleet/agent/a ",
            "tributary://fleet/agent/a?b", "tributary://fleet/agent/a#b",
        ])
    func badIdentity(uri: String) {
        #expect(Identity(uri: uri) == nil)
    }

    @Test("rounds and attempts are written as numbers and ordered")
    func rounds() {
        #expect(RoundID(9) < RoundID(10))
        #expect("\(RoundAttempt(round: RoundID(7), attempt: 2))" == "7.2")
    }
}
