import Privacy
import Testing

@Suite("Calibration")
struct AccountantTests {
    @Test(
        "calibrated multipliers are dp-accounting's, and keep to the target",
        arguments: Accountant.allCases)
    func noise(accountant: Accountant) throws {
        let rows = try fixtureRows("calibrations.csv")
        #expect(rows.count > 80)
        for row in rows {
            let numbers = row.compactMap(Double.init)
            try #require(numbers.count == 6)
            let (target, delta, rate, rounds) = (
                numbers[0], numbers[1], numbers[2], Int(numbers[3])
            )
            let multiplier = accountant.noiseMultiplier(
                epsilon: target, samplingRate: rate, rounds: rounds, delta: delta)
            let expected = numbers[accountant == .rdp ? 4 : 5]
            #expect(abs(multiplier - expected) < 1e-2, "\(row): \(multiplier)")
            let charge = PrivacyCharge(noiseMultiplier: multiplier, samplingRate: rate)
            let spent = accountant.epsilon(of: [charge: rounds], delta: delta)
            #expect(spent <= target, "\(row)")
            #expect(spent > 0.98 * target, "\(row): \(spent)")
        }
    }

    @Test("replacements need more noise, and targets are met under them too")
    func replacements() {
        for accountant in Accountant.allCases {
            let multiplier = accountant.noiseMultiplier(
                epsilon: 3, samplingRate: 0.05, rounds: 200, delta: 1e-6, neighbouring: .replaceOne)
            let usual = accountant.noiseMultiplier(
                epsilon: 3, samplingRate: 0.05, rounds: 200, delta: 1e-6)
            #expect(multiplier > 2 * usual)
            let charge = PrivacyCharge(noiseMultiplier: multiplier, samplingRate: 0.05)
            let spent = accountant.epsilon(
                of: [charge: 200], delta: 1e-6, neighbouring: .replaceOne)
            #expect(spent <= 3 && spent > 2.98)
        }
    }

    @Test("targets that are hardly any or hardly met end the search too")
    func extremes() {
        for accountant in Accountant.allCases {
            func multiplier(_ epsilon: Double, rate: Double = 0.1, rounds: Int = 10) -> Double {
                accountant.noiseMultiplier(
                    epsilon: epsilon, samplingRate: rate, rounds: rounds, delta: 1e-5)
            }
            #expect(multiplier(1, rounds: 0) == 0)
            #expect(multiplier(1, rate: 0) == 0)
            #expect(multiplier(1e300) < 1e-3)
            #expect(multiplier(1e-3) > 10)
            #expect(multiplier(1e-3).isFinite)
            // An agent is drawn less often than delta: no noise is needed at all, or next to none.
            #expect(multiplier(0.5, rate: 1e-9, rounds: 1) < 1)
        }
    }

    @Test("the largest number of rounds fits, and one more does not")
    func rounds() {
        let spent = [PrivacyCharge(noiseMultiplier: 2, samplingRate: 0.1): 5]
        for accountant in Accountant.allCases {
            for (charge, target) in [
                (PrivacyCharge(noiseMultiplier: 1, samplingRate: 0.01), 2.0),
                (PrivacyCharge(noiseMultiplier: 4, samplingRate: 1), 8),
            ] {
                let rounds = accountant.rounds(
                    within: target, of: charge, after: spent, delta: 1e-5)
                func epsilon(_ rounds: Int) -> Double {
                    accountant.epsilon(
                        of: spent.merging([charge: rounds], uniquingKeysWith: +), delta: 1e-5)
                }
                #expect(rounds > 10)
                #expect(epsilon(rounds) <= target)
                #expect(epsilon(rounds + 1) > target)
            }
        }
        let charge = PrivacyCharge(noiseMultiplier: 1, samplingRate: 0.01)
        let tight = Accountant.pld.rounds(within: 2, of: charge, delta: 1e-5)
        #expect(tight > Accountant.rdp.rounds(within: 2, of: charge, delta: 1e-5))
        #expect(Accountant.pld.rounds(within: 0.01, of: charge, after: spent, delta: 1e-5) == 0)
        let harmless = PrivacyCharge(noiseMultiplier: 1, samplingRate: 0)
        #expect(
            Accountant.rdp.rounds(within: 1, of: harmless, delta: 1e-5) == Accountant.mostRounds)
    }
}
