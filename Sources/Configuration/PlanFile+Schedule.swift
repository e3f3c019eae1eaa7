import Federation

// [schedule] and [retention]
extension PlanFile {
    enum ScheduleKey: String, SectionKey {
        case everySeconds = "every_seconds"
        case readyAgents = "ready_agents"
    }

    enum RetentionKey: String, SectionKey { case versions }

    static func schedulePlan(
        _ section: Section<ScheduleKey>?
    ) throws(Fault) -> SchedulePlan? {
        guard let section else { return nil }
        let year = 31_536_000.0
        let plan = SchedulePlan(
            everySeconds: section.has(.everySeconds)
                ? try section.number(.everySeconds, .from(1, to: year)) : nil,
            readyAgents: section.has(.readyAgents)
                ? try section.integer(.readyAgents, agentCounts) : nil)
        guard plan.everySeconds != nil || plan.readyAgents != nil else {
            throw section.fault(
                .everySeconds, "is missing, and so is ready_agents",
                "write one of them or both, or remove [schedule]: rounds then start on request")
        }
        return plan
    }

    static func retentionPlan(_ section: Section<RetentionKey>?) throws(Fault) -> RetentionPlan {
        guard let section else { return RetentionPlan() }
        return RetentionPlan(versions: try section.integer(.versions, 1...1_000_000))
    }
}
