import Configuration
import Federation
import Testing

@Suite struct PlanScheduleTests {
    @Test(
        "a plan says when its rounds start by themselves, and how many versions are kept, or neither"
    )
    func keys() throws {
        let plain = try parse(validPlan)
        #expect(plain.schedule == nil && plain.retention == RetentionPlan(versions: nil))
        let both = try parse(
            validPlan + "[schedule]\nevery_seconds = 3600.5\nready_agents = 20\n")
        #expect(both.schedule == SchedulePlan(everySeconds: 3600.5, readyAgents: 20))
        let every = try parse(validPlan + "[schedule]\nevery_seconds = 60\n")
        #expect(every.schedule == SchedulePlan(everySeconds: 60, readyAgents: nil))
        let ready = try parse(validPlan + "[schedule]\nready_agents = 1\n")
        #expect(ready.schedule == SchedulePlan(everySeconds: nil, readyAgents: 1))
        let kept = try parse(validPlan + "[retention]\nversions = 30\n")
        #expect(kept.retention.versions == 30)
    }

    @Test(
        "a schedule that says nothing, or a number out of range, is refused",
        arguments: [
            (
                "[schedule]\n",
                "53:1: every_seconds in [schedule] is missing, and so is ready_agents; write one of"
                    + " them or both, or remove [schedule]: rounds then start on request"
            ),
            (
                "[schedule]\nevery_seconds = 0\n",
                "54:17: every_seconds in [schedule] is 0; write a number from 1 to 31536000"
            ),
            (
                "[schedule]\nready_agents = 0\n",
                "54:16: ready_agents in [schedule] is 0; write a whole number from 1 to 1000000"
            ),
            (
                "[retention]\nversions = 0\n",
                "54:12: versions in [retention] is 0; write a whole number from 1 to 1000000"
            ),
            (
                "[retention]\n",
                "53:1: [retention] has no versions; write a whole number from 1 to 1000000"
            ),
        ])
    func refused(text: String, message: String) {
        #expect(refusal(of: validPlan + text) == "tiny.toml:" + message)
    }
}
