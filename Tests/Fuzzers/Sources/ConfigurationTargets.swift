import Configuration
import Federation
import Learning

/// What an administrator, or the coordinator, writes for a device to read.
let configurationTargets: [String: FuzzTarget] = [
    // As a device reads it: the coordinator's own arithmetic on a target epsilon takes its time.
    "plan": FuzzTarget(
        { input in
            do throws(Fault) {
                let plan = try PlanFile.parse(input, file: "plan.toml", for: .device)
                demand(
                    (try? PlanFile.parse(input, file: "plan.toml", for: .device)) == plan,
                    "a plan means another when it is read again")
                demand(plan.parameterCount <= Plan.maximumParameters, "a plan is too large")
                _ = try StudentShape(plan: plan)
            } catch {
                demand(!error.message.isEmpty, "a plan is refused without a reason")
            }
        },
        seeds: {
            let shipped = [
                "covertype", "fashion", "fashion-dense", "fashion-niid", "fashion-private",
                "shuttle-anomaly", "watch",
            ]
            return try shipped.map { try checkoutFile("coordinator-config/plans/\($0).toml") }
        }),
    "agent-toml": FuzzTarget(
        { _ = try? AgentConfiguration.parse($0, file: "agent.toml") },
        seeds: { [try checkoutFile("agent-config/agent.toml")] }),
    "coordinator-toml": FuzzTarget(
        { _ = try? CoordinatorConfiguration.parse($0, file: "coordinator.toml") },
        seeds: { [try checkoutFile("coordinator-config/coordinator.toml")] }),
]
