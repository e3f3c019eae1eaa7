import Testing

/// A part of a plan replaced by another, and what the plan is refused with.
struct Mistake: CustomTestStringConvertible {
    var line: String
    var written: String
    var message: String

    init(
        _ line: String, _ written: String, _ position: String, _ problem: String,
        _ remedy: String
    ) {
        self.line = line
        self.written = written
        message = "tiny.toml:\(position): \(problem); \(remedy)"
    }

    var testDescription: String { written }
}

@Suite struct PlanRefusalTests {
    @Test(
        "a mistake is refused with its line, its column and what may be written",
        arguments: [
            Mistake(
                "epochs = 2", "epoch = 2", "20:1",
                "unknown key 'epoch' in [training]",
                "did you mean 'epochs'?"),
            Mistake(
                "epochs = 2", "colour = 2", "20:1",
                "unknown key 'colour' in [training]",
                "known keys: epochs, batch_size, learning_rate, optimizer, momentum, nesterov, betas, "
                    + "weight_decay, schedule, gradient_clip, proximal_mu, patience, objective, "
                    + "balances_classes, low_memory"),
            Mistake(
                "[training]", "[trainig]", "19:2",
                "unknown key 'trainig' at the top level",
                "did you mean 'training'?"),
            Mistake(
                "[sealing]", "[unrelated]", "51:2",
                "unknown key 'unrelated' at the top level",
                "known keys: plan, data, model, training, teacher, distillation, "
                    + "round, clipping, privacy, server, sealing, schedule, retention, model_card"),
            Mistake(
                "epochs = 2", "epochs = 2.0", "20:10",
                "epochs in [training] is a decimal number",
                "write a whole number from 1 to 10000"),
            Mistake(
                "epochs = 2", #"epochs = "2""#, "20:10",
                "epochs in [training] is text",
                "write a whole number from 1 to 10000"),
            Mistake(
                "epochs = 2", "epochs = 0", "20:10",
                "epochs in [training] is 0",
                "write a whole number from 1 to 10000"),
            Mistake(
                "epochs = 2", "epochs = -1", "20:10",
                "epochs in [training] is -1",
                "write a whole number from 1 to 10000"),
            Mistake(
                "epochs = 2", "epochs = [1]", "20:10",
                "epochs in [training] is an array",
                "write a whole number from 1 to 10000"),
            Mistake(
                "batch_size = 16", "batch_size = 1000000", "21:14",
                "batch_size in [training] is 1000000",
                "write a whole number from 1 to 65536"),
            Mistake(
                "learning_rate = 0.125", "learning_rate = 0", "22:17",
                "learning_rate in [training] is 0",
                "write a number above 0, at most 100"),
            Mistake(
                "learning_rate = 0.125", "learning_rate = nan", "22:17",
                "learning_rate in [training] is nan",
                "write a number above 0, at most 100"),
            Mistake(
                "learning_rate = 0.125", "learning_rate = inf", "22:17",
                "learning_rate in [training] is inf",
                "write a number above 0, at most 100"),
            Mistake(
                "learning_rate = 0.125", "learning_rate = 1e-60", "22:17",
                "learning_rate in [training] is 1e-60, which float32 cannot hold",
                "write a number above 0, at most 100"),
            Mistake(
                "learning_rate = 0.125", "learning_rate = true", "22:17",
                "learning_rate in [training] is true",
                "write a number above 0, at most 100"),
            Mistake(
                "learning_rate = 0.125", "# no rate", "19:1",
                "[training] has no learning_rate",
                "write a number above 0, at most 100"),
            Mistake(
                "momentum = 0.5", "momentum = 1", "23:12",
                "momentum in [training] is 1",
                "write a number from 0 to below 1"),
            Mistake(
                "momentum = 0.5", "momentum = -0.5", "23:12",
                "momentum in [training] is -0.5",
                "write a number from 0 to below 1"),
            Mistake(
                #"name = "tiny""#, #"name = "Tiny plan""#, "2:8",
                #"name in [plan] is "Tiny plan""#,
                "write a name of 1 to 40 characters of a-z 0-9 -, beginning with a letter"),
            Mistake(
                #"name = "tiny""#, "name = 1979-05-27", "2:8",
                "name in [plan] is a date or time",
                "write a name of 1 to 40 characters of a-z 0-9 -, beginning with a letter"),
            Mistake(
                #"name = "tiny""#, #"name = """#, "2:8",
                #"name in [plan] is """#,
                "write a name of 1 to 40 characters of a-z 0-9 -, beginning with a letter"),
            Mistake(
                #"title = "A tiny plan""#, #"title = "two\nlines""#, "3:9",
                #"title in [plan] is "two\nlines""#,
                "write a line of 1 to 200 bytes"),
            Mistake(
                #"population = "testers""#, #"population = "All testers""#, "4:14",
                #"population in [plan] is "All testers""#,
                "write a name of 1 to 40 characters of a-z 0-9 -, beginning with a letter"),
            Mistake(
                #"format = "idx""#, #"format = "parquet""#, "6:10",
                #"format in [data] is "parquet""#,
                #"write one of "idx", "csv""#),
            Mistake(
                #"format = "idx""#, #"format = "csv""#, "7:17",
                #"features_file in [data] does not belong to format "csv""#,
                "remove features_file"),
            Mistake(
                #"format = "idx""#, "format = \"idx\"\nfile = \"x.csv\"", "7:8",
                #"file in [data] does not belong to format "idx""#,
                "remove file"),
            Mistake(
                #"features_file = "x.idx""#, #"features_file = "../x.idx""#, "7:17",
                #"features_file in [data] is "../x.idx""#,
                "write the name of a file in the data directory, without '/'"),
            Mistake(
                #"labels_file = "y.idx""#, #"labels_file = "..""#, "8:15",
                #"labels_file in [data] is "..""#,
                "write the name of a file in the data directory, without '/'"),
            Mistake(
                #"labels_file = "y.idx""#, "# no labels", "5:1",
                "[data] has no labels_file",
                "write the name of a file in the data directory, without '/'"),
            Mistake(
                "features = 4", "features = 0", "9:12",
                "features in [data] is 0",
                "write a whole number from 1 to 65536"),
            Mistake(
                "classes = 3", "classes = 1", "10:11",
                "classes in [data] is 1",
                "write a whole number from 2 to 65536"),
            Mistake(
                "offset = [1, 2.5, 3, 4]", "offset = [1, 2.5, 3]", "11:10",
                "offset in [data] has 3 items",
                "write one number, or an array of 4, one a feature"),
            Mistake(
                "offset = [1, 2.5, 3, 4]", #"offset = [1, "2.5", 3, 4]"#, "11:14",
                "offset in [data] is text",
                "write a number from -1000000000 to 1000000000"),
            Mistake(
                "scale = 2", "scale = 0", "12:9",
                "scale in [data] is 0",
                "write a number from 1e-09 to 1000000000"),
            Mistake(
                "scale = 2", "scale = 2\nheld_out = 0.6", "13:12",
                "held_out in [data] is 0.6",
                "write a number from 0 to 0.5"),
            Mistake(
                "scale = 2", "scale = [1, 2, 0, 4]", "12:16",
                "scale in [data] is 0",
                "write a number from 1e-09 to 1000000000"),
            Mistake(
                "units = 8", "units = 0", "14:9",
                "units in [[model.layers]] is 0",
                "write a whole number from 1 to 32768"),
            Mistake(
                "units = 8", "units = 8\nbias = true", "15:1",
                "unknown key 'bias' in [[model.layers]]",
                "known keys: type, name, units, channels, kernel, stride, padding, activation, size, "
                    + "from, rate, frozen, batch_norm"),
            Mistake(
                #"activation = "relu""#, #"activation = "gelu""#, "15:14",
                #"activation in [[model.layers]] is "gelu""#,
                #"write one of "relu", "none""#),
            Mistake(
                "units = 3", "units = 4", "17:9",
                "units in [[model.layers]] is 4 in the last layer",
                "write 3, one unit a class"),
            Mistake(
                #"activation = "none""#, #"activation = "relu""#, "18:14",
                #"activation in [[model.layers]] is "relu" in the last layer"#,
                #"write "none": an output may be negative"#),
            Mistake(
                "hidden = [32, 16]", "hidden = []", "25:10",
                "hidden in [teacher] has 0 items",
                "write an array of 1 to 16 whole numbers from 1 to 32768"),
            Mistake(
                "hidden = [32, 16]", "hidden = [32, 0]", "25:15",
                "hidden in [teacher] is 0",
                "write an array of 1 to 16 whole numbers from 1 to 32768"),
            Mistake(
                "hidden = [32, 16]", "hidden = 32", "25:10",
                "hidden in [teacher] is a whole number",
                "write an array of 1 to 16 whole numbers from 1 to 32768"),
            Mistake(
                "temperature = 4", "temperature = 0", "31:15",
                "temperature in [distillation] is 0",
                "write a number above 0, at most 100"),
            Mistake(
                "alpha = 0.25", "alpha = 1.5", "32:9",
                "alpha in [distillation] is 1.5",
                "write a number from 0 to 1"),
            Mistake(
                "agents = 10", "agents = 0", "38:10",
                "agents in [round] is 0",
                "write a whole number from 1 to 1000000"),
            Mistake(
                "minimum = 6", "minimum = 11", "39:11",
                "minimum in [round] is 11 and agents is 10",
                "write a whole number from 1 to 10"),
            Mistake(
                "minimum = 6", "minimum = 0", "39:11",
                "minimum in [round] is 0",
                "write a whole number from 1 to 1000000"),
            Mistake(
                "over_selection = 1.5", "over_selection = 0.9", "40:18",
                "over_selection in [round] is 0.9",
                "write a number from 1 to 10"),
            Mistake(
                "selection_seconds = 5", "selection_seconds = 0", "41:21",
                "selection_seconds in [round] is 0",
                "write a number above 0, at most 604800"),
            Mistake(
                "report_seconds = 50", "report_seconds = -50", "42:18",
                "report_seconds in [round] is -50",
                "write a number above 0, at most 604800"),
            Mistake(
                "lease_seconds = 7.5", "lease_seconds = 1e9", "43:17",
                "lease_seconds in [round] is 1000000000",
                "write a number above 0, at most 604800"),
            Mistake(
                "max_examples = 1000", "max_examples = 0", "44:16",
                "max_examples in [round] is 0",
                "write a whole number from 1 to 1000000000"),
            Mistake(
                "norm = 1.5", "norm = 0.0", "46:8",
                "norm in [clipping] is 0",
                "write a number above 0, at most 1000000"),
            Mistake(
                "kappa = 5", "kappa = 0.5", "47:9",
                "kappa in [clipping] is 0.5",
                "write a number from 1 to 64"),
            Mistake(
                "max_accuracy_drop = 0.05", "max_accuracy_drop = 5", "52:21",
                "max_accuracy_drop in [sealing] is 5",
                "write a number from 0 to 1"),
            Mistake(
                "momentum = 0.75", "post_round_epochs = -1", "36:21",
                "post_round_epochs in [distillation] is -1",
                "write a whole number from 0 to 10000"),
            Mistake(
                "momentum = 0.75", "post_round_epochs = 1.5", "36:21",
                "post_round_epochs in [distillation] is a decimal number",
                "write a whole number from 0 to 10000"),
            Mistake(
                "[plan]", "privacy = true\n[plan]", "1:11",
                "[privacy] is true",
                "write it as a table"),
            Mistake(
                "[clipping]\nnorm = 1.5\nkappa = 5", "", "1:1",
                "there is no [clipping]",
                "write a table [clipping]"),
            Mistake(
                "features = 4\nclasses = 3\noffset = [1, 2.5, 3, 4]\n"
                    + "scale = 2\n[[model.layers]]\nunits = 8",
                "features = 32768\nclasses = 3\n[[model.layers]]\nunits = 2048", "12:9",
                "units in [[model.layers]] brings the student to 67110914 parameters",
                "at most 67108864 are allowed"),
            Mistake(
                "[[model.layers]]\nunits = 8\nactivation = \"relu\"\n"
                    + "[[model.layers]]\nunits = 3\nactivation = \"none\"\n",
                "", "1:1",
                "there is no student",
                "write 1 to 64 [[model.layers]] tables"),
            Mistake(
                "[server]", "[training]", "48:1",
                "Error while parsing table header: cannot redefine existing table 'training'",
                "correct the TOML"),
            Mistake(
                "epochs = 2", "epochs = 2\nepochs = 3", "21:10",
                "Error while parsing key-value pair: cannot redefine existing integer 'epochs'",
                "correct the TOML"),
            Mistake(
                "epochs = 2", "epochs =", "20:9",
                #"Error while parsing key-value pair: expected value, saw '\n'"#,
                "correct the TOML"),
        ])
    func mistake(_ mistake: Mistake) throws {
        try #require(validPlan.contains(mistake.line))
        let text = validPlan.replacing(
            mistake.line, with: mistake.written, maxReplacements: 1)
        #expect(refusal(of: text) == mistake.message)
    }

    @Test(
        "a private plan refuses what its accountant could not describe",
        arguments: [
            Mistake(
                "agents = 10", "agents = 11", "38:10",
                "agents in [round] is 11 and [privacy] selects 10",
                "write 10 or remove agents: [privacy] says who takes part"),
            Mistake(
                "minimum = 0", "minimum = 6", "39:11",
                "minimum in [round] is 6 in a private plan",
                "write 0 or remove minimum: a private round always releases"),
            Mistake(
                "over_selection = 1", "over_selection = 1.5", "40:18",
                "over_selection in [round] is 1.5 in a private plan",
                "write 1 or remove over_selection: a private round waits for everyone selected"),
            Mistake(
                "noise_multiplier = 0.5", "noise_multiplier = 0", "54:20",
                "noise_multiplier in [privacy] is 0",
                "write a number above 0, at most 1000"),
            Mistake(
                "noise_multiplier = 0.5", "noise_multiplier = -inf", "54:20",
                "noise_multiplier in [privacy] is -inf",
                "write a number above 0, at most 1000"),
            Mistake(
                "delta = 1e-3", "delta = 0.025", "55:9",
                "delta in [privacy] is 0.025 with 40 agents",
                "write a number below 1/agents = 0.025"),
            Mistake(
                "delta = 1e-3", "delta = 0", "55:9",
                "delta in [privacy] is 0",
                "write a number above 0 and below 1"),
            Mistake(
                "delta = 1e-3", "delta = 1", "55:9",
                "delta in [privacy] is 1",
                "write a number above 0 and below 1"),
            Mistake(
                #"sampling = "poisson""#, #"sampling = "some""#, "56:12",
                #"sampling in [privacy] is "some""#,
                #"write one of "everyone", "poisson""#),
            Mistake(
                #"sampling = "poisson""#, #"sampling = "everyone""#, "57:17",
                "sampling_rate in [privacy] has no meaning when everyone takes part",
                #"write sampling = "poisson" or remove sampling_rate"#),
            Mistake(
                "sampling_rate = 0.25", "sampling_rate = 0", "57:17",
                "sampling_rate in [privacy] is 0",
                "write a number above 0, at most 1"),
            Mistake(
                "sampling_rate = 0.25", "sampling_rate = 1.01", "57:17",
                "sampling_rate in [privacy] is 1.01",
                "write a number above 0, at most 1"),
            Mistake(
                "sampling_rate = 0.25", "# no rate", "53:1",
                "[privacy] has no sampling_rate",
                "write a number above 0, at most 1"),
            Mistake(
                "agents = 40", "agents = 0", "58:10",
                "agents in [privacy] is 0",
                "write a whole number from 1 to 1000000"),
            Mistake(
                "agents = 40", "agent = 40", "58:1",
                "unknown key 'agent' in [privacy]",
                "did you mean 'agents'?"),
            Mistake(
                "max_epsilon = 8", "max_epsilon = 0", "59:15",
                "max_epsilon in [privacy] is 0",
                "write a number above 0, at most 1000000000"),
        ])
    func privateMistake(_ mistake: Mistake) throws {
        try #require(validPrivatePlan.contains(mistake.line))
        let text = validPrivatePlan.replacing(
            mistake.line, with: mistake.written, maxReplacements: 1)
        #expect(refusal(of: text) == mistake.message)
    }
}
