import AdminConsole
import ArgumentParser
import Federation
import Privacy

struct PrivacyEpsilonCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "epsilon", abstract: "The epsilon that rounds of noise spend, offline.",
        discussion: examples(
            "privacy epsilon --noise-multiplier 1 --sampling-rate 0.01 --rounds 1000 --delta 1e-5"))

    @Option(help: "The noise's standard deviation over the clipping norm.")
    var noiseMultiplier: Double

    @Option(help: "How many rounds there are.")
    var rounds: Int

    @OptionGroup var options: AccountingOptions

    @Flag(name: .customLong("json"), help: "Print one JSON document.")
    var wantsJSON = false

    func validate() throws {
        try AccountingOptions.check(noiseMultiplier: noiseMultiplier)
        try AccountingOptions.check(rounds: rounds)
    }

    func execute() async throws {
        let answer = AccountingAnswer(
            noiseMultiplier: noiseMultiplier, rounds: rounds, options: options)
        show(answer.json(), answer.text(first: "epsilon      \(written(answer.epsilon))"))
    }
}

struct PrivacyCalibrateCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "The noise that keeps rounds to an epsilon, or the rounds that noise allows.",
        discussion: """
            With --rounds it finds the noise; with --noise-multiplier, the rounds.

            \(examples(
                "privacy calibrate --target-epsilon 4 --sampling-rate 0.01 --rounds 1000 --delta 1e-5"))
            """)

    @Option(help: "The epsilon not to exceed.")
    var targetEpsilon: Double

    @Option(help: "How many rounds the noise is for.")
    var rounds: Int?

    @Option(help: "The noise to count rounds for, over the clipping norm.")
    var noiseMultiplier: Double?

    @OptionGroup var options: AccountingOptions

    @Flag(name: .customLong("json"), help: "Print one JSON document.")
    var wantsJSON = false

    func validate() throws {
        guard targetEpsilon >= 1e-6, targetEpsilon <= 1e6 else {
            throw ValidationError("--target-epsilon must be from 0.000001 to 1000000.")
        }
        guard (rounds == nil) != (noiseMultiplier == nil) else {
            throw ValidationError(
                "Give either --rounds, to find the noise, or --noise-multiplier, to find the rounds."
            )
        }
        if let rounds { try AccountingOptions.check(rounds: rounds) }
        if let noiseMultiplier {
            try AccountingOptions.check(noiseMultiplier: noiseMultiplier)
        }
    }

    func execute() async throws {
        let found = calibrated
        let answer = AccountingAnswer(
            noiseMultiplier: found.noiseMultiplier, rounds: found.rounds, options: options)
        let line =
            if rounds == nil {
                "rounds       \(found.rounds)"
            } else {
                "noise        \(found.noiseMultiplier) times the clipping norm"
            }
        show(
            answer.json(target: targetEpsilon),
            answer.text(first: "\(line)\nepsilon      \(written(answer.epsilon))"))
    }

    /// The least noise, or the most rounds, of what the accountants allow.
    private var calibrated: (noiseMultiplier: Double, rounds: Int) {
        if let noiseMultiplier {
            let charge = PrivacyCharge(
                noiseMultiplier: noiseMultiplier, samplingRate: options.samplingRate)
            let rounds = options.accountants.map {
                $0.rounds(
                    within: targetEpsilon, of: charge, delta: options.delta,
                    neighbouring: options.neighbouring)
            }
            return (noiseMultiplier, rounds.max() ?? 0)
        }
        let rounds = rounds ?? 0
        let multipliers = options.accountants.map {
            $0.noiseMultiplier(
                epsilon: targetEpsilon, samplingRate: options.samplingRate, rounds: rounds,
                delta: options.delta, neighbouring: options.neighbouring)
        }
        return (multipliers.min() ?? .infinity, rounds)
    }
}

/// What some rounds spend, and who says so.
private struct AccountingAnswer {
    let noiseMultiplier: Double
    let rounds: Int
    let options: AccountingOptions
    let epsilon: Double
    private let accountant: Accountant
    /// Of the tight accountant, when it is the one.
    private let bound: PLDAccountant.Bound?

    init(noiseMultiplier: Double, rounds: Int, options: AccountingOptions) {
        (self.noiseMultiplier, self.rounds, self.options) = (noiseMultiplier, rounds, options)
        let charge = PrivacyCharge(
            noiseMultiplier: noiseMultiplier, samplingRate: options.samplingRate)
        let epsilons = options.accountants.map {
            $0.epsilon(
                of: [charge: rounds], delta: options.delta, neighbouring: options.neighbouring)
        }
        let least = epsilons.indices.min { epsilons[$0] < epsilons[$1] } ?? 0
        (accountant, epsilon) = (options.accountants[least], epsilons[least])
        bound =
            accountant == .pld
            ? PLDAccountant.bound(
                of: [charge: rounds], delta: options.delta, neighbouring: options.neighbouring)
            : nil
    }

    func json(target: Double? = nil) -> JSONValue {
        .object([
            ("epsilon", .decimal(epsilon)), ("noise_multiplier", .decimal(noiseMultiplier)),
            ("rounds", .number(UInt64(rounds))), ("delta", .decimal(options.delta)),
            ("sampling_rate", .decimal(options.samplingRate)),
            (
                "accountant",
                .string((bound?.method == .rdp ? .rdp : accountant).rawValue)
            ),
            ("neighbouring", .string(options.neighbouring.rawValue)),
            ("sampling", .string(options.sampling.rawValue)),
            ("target_epsilon", decimal(target)), ("grid_interval", decimal(grid?.interval)),
            ("grid_widened", .bool(grid?.isWidened ?? false)),
        ])
    }

    private var grid: (interval: Double, isWidened: Bool)? {
        guard case .grid(let interval, let isWidened) = bound?.method else { return nil }
        return (interval, isWidened)
    }

    func text(first line: String) -> String {
        let method =
            switch (accountant, bound?.method) {
            case (.rdp, _), (.pld, .rdp): "RDP, an upper bound"
            case (.pld, .grid(let interval, let isWidened)):
                "PLD, an upper bound on a grid of \(written(interval, digits: 3))"
                    + (isWidened
                        ? ", widened to keep to \(PLDAccountant.mostPoints) points and so looser"
                        : "")
            case (.pld, _): "PLD, exact"
            }
        return """
            \(line) at delta \(options.delta)
            accountant   \(method)
            rounds       \(rounds), noise \(noiseMultiplier) times the clipping norm
            \(options.assumptions)
            """
    }

    /// So many significant digits.
    private func written(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        while value * scale < 1 { scale *= 10 }
        for _ in 1..<digits { scale *= 10 }
        return "\((value * scale).rounded() / scale)"
    }
}
