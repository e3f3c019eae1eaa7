import Federation
import Glibc
import Privacy
import Testing

@Suite("The PLD accountant")
struct PLDAccountantTests {
    @Test(
        "epsilons are dp-accounting's, and never below the exact ones",
        arguments: [0.5, 0.7, 1, 1.1, 1.5, 2, 4])
    func epsilons(multiplier: Double) throws {
        let rows = try EpsilonRow.all().filter { $0.charge.noiseMultiplier == multiplier }
        try #require(rows.count == 90)
        for row in rows {
            let epsilon = PLDAccountant.bound(of: [row.charge: row.rounds], delta: row.delta)
                .epsilon
            if let pld = row.pld {
                #expect(abs(epsilon - pld) <= max(1e-3, 0.005 * pld), "\(row): \(epsilon)")
            }
            if let exact = row.exact {
                #expect(epsilon >= exact, "\(row)")
                #expect(epsilon <= exact * (1 + 1e-6), "\(row)")
            }
        }
    }

    /// With an agent, a sampled round's outcome has the hockey-stick divergence q delta_G(ln(1 +
    /// (e^epsilon - 1) / q)), delta_G being the Gaussian's; that way round is the worse one.
    @Test("one sampled round is never below its closed form, and hardly above it")
    func oneSampledRound() {
        for (multiplier, rate) in [
            (0.5, 0.001), (0.5, 0.5), (1, 0.01), (1, 0.9), (2, 0.05), (4, 0.1), (8, 0.5),
        ] {
            for delta in [1e-3, 1e-5, 1e-9, 1e-30] where delta < rate / 100 {
                let gaussian = PLDAccountant.epsilon(
                    noiseMultiplier: multiplier, samplingRate: 1, rounds: 1, delta: delta / rate)
                let exact = log1p(rate * expm1(gaussian))
                let epsilon = PLDAccountant.epsilon(
                    noiseMultiplier: multiplier, samplingRate: rate, rounds: 1, delta: delta)
                let which = "z = \(multiplier), q = \(rate), delta = \(delta)"
                #expect(epsilon >= exact * (1 - 1e-7), "\(which)")
                #expect(epsilon <= exact * 1.001 + 5e-4, "\(which)")
            }
        }
    }

    @Test("grids and transforms of nearly unsampled rounds are never below the exact composition")
    func nearlyEveryone() {
        for (multiplier, rounds) in [(1.0, 1), (2, 10), (4, 100), (20, 10_000), (0.5, 30)] {
            for delta in [1e-2, 1e-6, 1e-12, 1e-100] {
                let exact = PLDAccountant.epsilon(
                    noiseMultiplier: multiplier, samplingRate: 1, rounds: rounds, delta: delta)
                let epsilon = PLDAccountant.epsilon(
                    noiseMultiplier: multiplier, samplingRate: 1 - 1e-12, rounds: rounds,
                    delta: delta)
                let which = "z = \(multiplier), \(rounds) rounds, delta = \(delta)"
                #expect(epsilon >= exact * (1 - 1e-9), "\(which): \(epsilon) < \(exact)")
                #expect(epsilon <= exact * 1.001 + 5e-4, "\(which): \(epsilon) > \(exact)")
            }
        }
    }

    @Test("rounds of several kinds compose as dp-accounting's do")
    func compositions() throws {
        let rows = try fixtureRows("compositions.csv")
        #expect(rows.count == 4)
        for row in rows {
            var charges: [PrivacyCharge: Int] = [:]
            for part in row[0].split(separator: ";") {
                let numbers = part.split(separator: ":").compactMap { Double($0) }
                try #require(numbers.count == 3)
                let charge = PrivacyCharge(noiseMultiplier: numbers[0], samplingRate: numbers[1])
                charges[charge] = Int(numbers[2])
            }
            let (delta, pld, rdp) = (
                try #require(Double(row[1])), try #require(Double(row[2])),
                try #require(Double(row[3]))
            )
            let bound = PLDAccountant.bound(of: charges, delta: delta)
            #expect(abs(bound.epsilon - pld) <= max(1e-3, 0.005 * pld), "\(row)")
            guard case .grid(_, isWidened: false) = bound.method else {
                Issue.record("\(bound)")
                continue
            }
            let fast = RDPAccountant.epsilon(of: charges, delta: delta)
            #expect(abs(fast - rdp) <= 1e-6, "\(row)")
        }
    }

    @Test("a kind of rounds may as well be two")
    func splitCharges() {
        let whole = PrivacyCharge(noiseMultiplier: 1, samplingRate: 0.02)
        let alike = PrivacyCharge(noiseMultiplier: 1 + 1e-12, samplingRate: 0.02)
        let one = PLDAccountant.bound(of: [whole: 200], delta: 1e-6).epsilon
        let two = PLDAccountant.bound(of: [whole: 150, alike: 50], delta: 1e-6).epsilon
        #expect(abs(one - two) < 1e-6)
    }

    @Test("epsilon falls with noise and delta, and rises with rounds and rate")
    func monotone() {
        func epsilon(
            _ multiplier: Double, _ rate: Double, _ rounds: Int, _ delta: Double = 1e-6
        ) -> Double {
            PLDAccountant.epsilon(
                noiseMultiplier: multiplier, samplingRate: rate, rounds: rounds, delta: delta)
        }
        #expect(epsilon(1, 0.01, 100) > epsilon(1.1, 0.01, 100))
        #expect(epsilon(1, 0.01, 110) > epsilon(1, 0.01, 100))
        #expect(epsilon(1, 0.02, 100) > epsilon(1, 0.01, 100))
        #expect(epsilon(1, 1, 100) > epsilon(1, 0.9, 100))
        #expect(epsilon(1, 0.01, 100, 1e-7) > epsilon(1, 0.01, 100))
    }

    @Test("nothing is spent without rounds or agents, everything without noise")
    func edges() {
        func epsilon(_ multiplier: Double, _ rate: Double, _ rounds: Int) -> Double {
            PLDAccountant.epsilon(
                noiseMultiplier: multiplier, samplingRate: rate, rounds: rounds, delta: 1e-5)
        }
        #expect(epsilon(1, 0, 100) == 0)
        #expect(epsilon(1, 1, 0) == 0)
        #expect(epsilon(0, 0.1, 1) == .infinity)
        #expect(epsilon(0, 1, 1) == .infinity)
        #expect(epsilon(1e9, 1, 1) == 0)
        // An agent is drawn less often than delta.
        #expect(epsilon(1, 1e-9, 10) == 0)
        #expect(epsilon(36, 1e-9, 20_000) == 0)
    }

    @Test("grids keep to their limit and say so, and senseless noise is left to RDP")
    func limits() throws {
        let many = PrivacyCharge(noiseMultiplier: 0.3, samplingRate: 1e-7)
        let bound = PLDAccountant.bound(of: [many: 10_000_000], delta: 1e-12)
        guard case .grid(_, isWidened: true) = bound.method else {
            Issue.record("\(bound)")
            return
        }
        let rdp = RDPAccountant.epsilon(of: [many: 10_000_000], delta: 1e-12)
        #expect(bound.epsilon > 0 && bound.epsilon < rdp)

        let silent = PrivacyCharge(noiseMultiplier: 0.005, samplingRate: 0.5)
        let senseless = PLDAccountant.bound(of: [silent: 10], delta: 1e-5)
        #expect(senseless.method == .rdp)
        #expect(senseless.epsilon == RDPAccountant.epsilon(of: [silent: 10], delta: 1e-5))
    }
}
