import Federation

// [round], [server] and [sealing]
extension PlanFile {
    enum RoundKey: String, SectionKey {
        case agents, minimum
        case overSelection = "over_selection"
        case selectionSeconds = "selection_seconds"
        case reportSeconds = "report_seconds"
        case leaseSeconds = "lease_seconds"
        case maxExamples = "max_examples"
    }

    enum ServerKey: String, SectionKey {
        case learningRate = "learning_rate"
        case momentum
    }

    enum SealingKey: String, SectionKey { case maxAccuracyDrop = "max_accuracy_drop" }

    static let agentCounts = 1...1_000_000

    static func roundPlan(
        _ section: Section<RoundKey>, _ privacy: PrivacyPlan?
    ) throws(Fault) -> RoundPlan {
        let (agents, minimum, overSelection) =
            if let privacy { try privateCohort(section, privacy) } else { try cohort(section) }
        let week = 604_800.0
        return RoundPlan(
            agents: agents, minimum: minimum, overSelection: overSelection,
            selectionSeconds: try section.number(.selectionSeconds, .positive(week), default: 60),
            reportSeconds: try section.number(.reportSeconds, .positive(week), default: 600),
            leaseSeconds: try section.number(.leaseSeconds, .positive(week), default: 60),
            maxExamples: try section.integer(
                .maxExamples, 1...1_000_000_000, default: 1_000_000))
    }

    private typealias Cohort = (agents: Int, minimum: Int, overSelection: Double)

    private static func cohort(_ section: Section<RoundKey>) throws(Fault) -> Cohort {
        let agents = try section.integer(.agents, agentCounts)
        let minimum = try section.integer(
            .minimum, agentCounts, default: (agents + 1) / 2)
        guard minimum <= agents else {
            throw section.fault(
                .minimum, "is \(minimum) and agents is \(agents)",
                "write a whole number from 1 to \(agents)")
        }
        return (agents, minimum, try section.number(.overSelection, .from(1, to: 10), default: 1))
    }

    /// A private round takes whom the coins choose and always releases, or the accountant would
    /// describe something else.
    private static func privateCohort(
        _ section: Section<RoundKey>, _ privacy: PrivacyPlan
    ) throws(Fault) -> Cohort {
        let expected = Int(privacy.denominator.rounded())
        let agents = try section.integer(.agents, agentCounts, default: expected)
        guard agents == expected else {
            throw section.fault(
                .agents, "is \(agents) and [privacy] selects \(expected)",
                "write \(expected) or remove agents: [privacy] says who takes part"
            )
        }
        let minimum = try section.integer(.minimum, 0...agentCounts.upperBound, default: 0)
        guard minimum == 0 else {
            throw section.fault(
                .minimum, "is \(minimum) in a private plan",
                "write 0 or remove minimum: a private round always releases")
        }
        let overSelection = try section.number(.overSelection, .from(1, to: 10), default: 1)
        guard overSelection == 1 else {
            throw section.fault(
                .overSelection, "is \(short(overSelection)) in a private plan",
                "write 1 or remove over_selection: a private round waits for everyone selected")
        }
        return (agents, minimum, overSelection)
    }

    static func serverPlan(_ section: Section<ServerKey>?) throws(Fault) -> ServerPlan {
        ServerPlan(
            learningRate: try section?.float(.learningRate, .positive(100), default: 1) ?? 1,
            momentum: try section?.float(.momentum, .from(0, below: 1), default: 0) ?? 0)
    }

    static func sealingPlan(_ section: Section<SealingKey>?) throws(Fault) -> SealingPlan {
        SealingPlan(
            maxAccuracyDrop: try section?.number(.maxAccuracyDrop, .from(0, to: 1), default: 0.1)
                ?? 0.1)
    }
}
