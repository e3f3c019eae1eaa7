import ArgumentParser
import Federation
import Privacy

/// `privacy`: what noise is worth.
struct PrivacyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "privacy",
        abstract: "Account for noise, calibrate it, and show what was spent.",
        discussion: examples("privacy show fashion-private --dir DIR"),
        subcommands: [
            PrivacyShowCommand.self, PrivacyExportCommand.self, PrivacyEpsilonCommand.self,
            PrivacyCalibrateCommand.self,
        ])
}

extension Accountant: ExpressibleByArgument {}
extension Neighbouring: ExpressibleByArgument {}
extension CohortDraw: ExpressibleByArgument {}

/// What both accountants have to be told besides the noise.
struct AccountingOptions: ParsableArguments {
    @Option(help: "The probability that an agent takes part in a round; 1 for everyone.")
    var samplingRate: Double

    @Option(help: "The delta of epsilon; it should be well below 1 / agents.")
    var delta: Double

    @Option(help: "pld (tight) or rdp (fast); the lesser of both unless given.")
    var accountant: Accountant?

    @Option(help: "Which populations must look alike: add-remove or replace-one.")
    var neighbouring = Neighbouring.addOrRemove

    @Option(help: "How cohorts are drawn: poisson (a secret coin an agent) or fixed-size.")
    var sampling = CohortDraw.poisson

    func validate() throws {
        guard samplingRate >= 1e-9, samplingRate <= 1 else {
            throw ValidationError("--sampling-rate must be from 1e-9 to 1.")
        }
        guard delta >= 1e-300, delta < 1 else {
            throw ValidationError("--delta must be from 1e-300 to below 1.")
        }
        do throws(Fault) {
            // With everyone there is no draw.
            if samplingRate < 1 { try sampling.check(with: neighbouring) }
        } catch {
            throw ValidationError("\(error.message); \(error.remedy).")
        }
    }

    /// Those whose bounds are asked for.
    var accountants: [Accountant] { accountant.map { [$0] } ?? Accountant.allCases }

    /// What was taken for granted, for people.
    var assumptions: String {
        let participation =
            samplingRate == 1
            ? "everyone takes part in every round"
            : sampling == .poisson
                ? "an independent secret coin of probability \(samplingRate) an agent and round"
                : "secret cohorts of a fixed size, a share of \(samplingRate)"
        let populations =
            switch (neighbouring, samplingRate) {
            case (.addOrRemove, 1): "with one agent's update or zero in its place"
            case (.addOrRemove, _): "with one agent more or fewer"
            case (.replaceOne, _): "with one agent's data replaced (twice the sensitivity)"
            }
        return """
            neighbours   populations \(populations)
            cohorts      \(participation)
            releases     sums of clipped updates with Gaussian noise, divided by a constant

            """
    }

    static func check(noiseMultiplier: Double) throws {
        guard noiseMultiplier > 0, noiseMultiplier <= 1e6 else {
            throw ValidationError("--noise-multiplier must be above 0, at most 1000000.")
        }
    }

    static func check(rounds: Int) throws {
        guard (1...Accountant.mostRounds).contains(rounds) else {
            throw ValidationError("--rounds must be from 1 to \(Accountant.mostRounds).")
        }
    }
}
