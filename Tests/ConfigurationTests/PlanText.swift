import Configuration
import Federation

/// A plan with every section; tests change one line of it.
let validPlan = """
    [plan]
    name = "tiny"
    title = "A tiny plan"
    population = "testers"
    [data]
    format = "idx"
    features_file = "x.idx"
    labels_file = "y.idx"
    features = 4
    classes = 3
    offset = [1, 2.5, 3, 4]
    scale = 2
    [[model.layers]]
    units = 8
    activation = "relu"
    [[model.layers]]
    units = 3
    activation = "none"
    [training]
    epochs = 2
    batch_size = 16
    learning_rate = 0.125
    momentum = 0.5
    [teacher]
    hidden = [32, 16]
    epochs = 3
    batch_size = 8
    learning_rate = 0.25
    momentum = 0
    [distillation]
    temperature = 4
    alpha = 0.25
    epochs = 5
    batch_size = 4
    learning_rate = 0.5
    momentum = 0.75
    [round]
    agents = 10
    minimum = 6
    over_selection = 1.5
    selection_seconds = 5
    report_seconds = 50
    lease_seconds = 7.5
    max_examples = 1000
    [clipping]
    norm = 1.5
    kappa = 5
    [server]
    learning_rate = 0.75
    momentum = 0.25
    [sealing]
    max_accuracy_drop = 0.05

    """

/// `[privacy]` for the plan above, after its `[round]` was made one of a private plan.
let validPrivacy = """
    [privacy]
    noise_multiplier = 0.5
    delta = 1e-3
    sampling = "poisson"
    sampling_rate = 0.25
    agents = 40
    max_epsilon = 8
    """

/// The plan above as a private one.
let validPrivatePlan =
    validPlan.replacing("minimum = 6", with: "minimum = 0")
    .replacing("over_selection = 1.5", with: "over_selection = 1") + validPrivacy

func parse(_ text: String) throws -> Plan {
    try PlanFile.parse(Array(text.utf8), file: "tiny.toml")
}

/// The description of the fault with which `text` is refused, or nil when it is accepted.
func refusal(of text: String) -> String? {
    do {
        _ = try PlanFile.parse(Array(text.utf8), file: "tiny.toml")
        return nil
    } catch {
        return error.code == .invalid ? error.description : "code \(error.code)"
    }
}

/// `validPlan` for an objective without a teacher, which `objective` names.
func untaughtPlan(_ objective: String) -> String {
    validPlan.replacing(
        """
        [teacher]
        hidden = [32, 16]
        epochs = 3
        batch_size = 8
        learning_rate = 0.25
        momentum = 0
        [distillation]
        temperature = 4
        alpha = 0.25
        """, with: "[distillation]"
    ).replacing("momentum = 0.5", with: "objective = \"\(objective)\"")
}
