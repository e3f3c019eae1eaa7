package import Federation

/// A plan that this device has data for and the coordinator does not have: its name is mistyped, or it comes later.
package struct UnknownPlan: Equatable, Sendable {
    package let plan: PlanID
    /// The name of the coordinator's that it was probably meant to be.
    package let meant: String?

    package init(plan: PlanID, meant: String?) {
        self.plan = plan
        self.meant = meant
    }

    /// - Parameter named: the plans that the answer to a check-in names: of those asked for the ones that there are and, for
    ///   others, those with the nearest names.
    /// - Returns: nil when `plan` is one of them.
    package init?(_ plan: PlanID, named: [PlanID]) {
        guard !named.contains(plan) else { return nil }
        self.init(plan: plan, meant: nearest(to: plan.name, among: named.map(\.name)))
    }

    /// What to say of it.
    package var fault: Fault {
        let question = meant.map { "did you mean [data.\($0)]? " } ?? ""
        return Fault(
            .notFound, "the coordinator has no plan '\(plan)'",
            remedy: question
                + "correct the name of [data.\(plan)] in the configuration and restart the agent, or"
                + " wait until the fleet's admin applies the plan")
    }
}
