import Federation
import RunRecords
import Testing

@Suite("A value in a plan's text")
struct PlanEditTests {
    private static let plan = """
        [plan]
        name = "beads" # rate = 3

        [training]
        epochs=2
        learning_rate = 0.1 # bold
        betas = [0.9,
          0.99]

        [server]  # the master
        learning_rate = 1
        momentum = 0.9

        [teacher]
        epochs = 3
        hidden = [64, 32]

        [[model.layers]]
        units = 4

        """

    @Test(
        "replaces the old one, and nothing else",
        arguments: [
            ("learning_rate", "0.5", "learning_rate = 0.1 # bold", "learning_rate = 0.5"),
            ("training.epochs", "7", "epochs=2", "epochs = 7"),
            ("epochs", "7", "epochs=2", "epochs = 7"),
            ("server.learning_rate", "0.5", "learning_rate = 1\n", "learning_rate = 0.5\n"),
            ("server.momentum", "0", "momentum = 0.9\n", "momentum = 0\n"),
            ("teacher.hidden", "[8]", "hidden = [64, 32]", "hidden = [8]"),
            ("plan.name", "pearls", "name = \"beads\" # rate = 3", "name = \"pearls\""),
            ("server.nesterov", "true", "# the master\n", "# the master\nnesterov = true\n"),
            // [server] has one too, but [training] may.
            ("momentum", "0.5", "[training]\n", "[training]\nmomentum = 0.5\n"),
            ("schedule", "cosine", "[training]\n", "[training]\nschedule = \"cosine\"\n"),
            ("low_memory", "true", "[training]\n", "[training]\nlow_memory = true\n"),
            (
                "sealing.max_accuracy_drop", "1", "units = 4\n",
                "units = 4\n\n[sealing]\nmax_accuracy_drop = 1\n"
            ),
        ])
    func value(name: String, value: String, old: String, new: String) throws {
        let edited = try PlanEdit(name: name, value: value).applied(
            to: Self.plan, trainingKeys: Self.trainingKeys)
        #expect(edited == Self.plan.replacing(old, with: new))
    }

    private static let trainingKeys = [
        "epochs", "learning_rate", "momentum", "betas", "schedule", "low_memory",
    ]

    @Test("is refused without the table of another than [training], or on several lines")
    func refusals() {
        let other = #expect(throws: Fault.self) {
            try PlanEdit(name: "units", value: "1").applied(
                to: Self.plan.replacing("epochs = 3", with: "units = 3"),
                trainingKeys: Self.trainingKeys)
        }
        #expect(other?.message == "units is in [teacher], not in [training]")
        #expect(other?.remedy == "say which: teacher.units")
        let several = #expect(throws: Fault.self) {
            try PlanEdit(name: "name", value: "1").applied(
                to: Self.plan.replacing("[server]", with: "[more]\nname = 3\n\n[server]"),
                trainingKeys: Self.trainingKeys)
        }
        #expect(several?.message == "name is in [more] and [plan], not in [training]")
        let spread = #expect(throws: Fault.self) {
            try PlanEdit(name: "training.betas", value: "[0, 0]").applied(
                to: Self.plan, trainingKeys: Self.trainingKeys)
        }
        #expect(spread?.message.contains("several lines") == true)
    }
}

@Suite("A sweep")
struct SweepTests {
    @Test("tries every combination of its values")
    func combinations() throws {
        let sweeps = [
            try Sweep(parsing: "learning_rate=0.01,0.1"), try Sweep(parsing: "hidden=[1,2],[3]"),
        ]
        let all = try Sweep.combinations(sweeps).map { $0.map { "\($0.0):\($0.1)" } }
        #expect(
            all == [
                ["learning_rate:0.01", "hidden:[1,2]"], ["learning_rate:0.01", "hidden:[3]"],
                ["learning_rate:0.1", "hidden:[1,2]"], ["learning_rate:0.1", "hidden:[3]"],
            ])
        #expect(try Sweep.combinations([]).count == 1)
    }

    @Test(
        "without a name or a value, or with one twice, is refused",
        arguments: ["", "rate", "=1", "rate=", "rate=1,", "rate=1,,2", "rate=1,1"])
    func refusals(text: String) {
        let fault = #expect(throws: Fault.self) { try Sweep(parsing: text) }
        #expect(fault?.code == .invalid)
        #expect(fault?.remedy.isEmpty == false)
    }

    @Test("over one key twice is refused")
    func twice() throws {
        let sweep = try Sweep(parsing: "rate=1")
        #expect(throws: Fault.self) { try Sweep.combinations([sweep, sweep]) }
    }
}
