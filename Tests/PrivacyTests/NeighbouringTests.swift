import Federation
import Glibc
import Privacy
import Testing

@Suite("Neighbouring populations")
struct NeighbouringTests {
    private struct Pitfall {
        let multiplier: Double
        let sampled: Double
        let population: Double
        let rounds: Int
        let delta: Double
        /// Poisson; fixed size with z / 2, and wrongly with z; everyone with z / 2, and with z.
        let epsilons: [Double]

        var rate: Double { sampled / population }

        static func all() throws -> [Pitfall] {
            try fixtureRows("pitfalls.csv").map { cells in
                let numbers = cells.dropLast().compactMap(Double.init)
                try #require(numbers.count == 10)
                return Pitfall(
                    multiplier: numbers[0], sampled: numbers[1], population: numbers[2],
                    rounds: Int(numbers[3]), delta: numbers[4], epsilons: Array(numbers[5...]))
            }
        }

        func rdp(rate: Double, _ neighbouring: Neighbouring) -> Double {
            RDPAccountant.epsilon(
                noiseMultiplier: multiplier, samplingRate: rate, rounds: rounds, delta: delta,
                neighbouring: neighbouring)
        }
    }

    @Test("replacements and samples of fixed size cost what dp-accounting says of z / 2")
    func pitfalls() throws {
        let rows = try Pitfall.all()
        #expect(rows.count == 4)
        for row in rows {
            let correct = row.rdp(rate: row.rate, .replaceOne)
            #expect(abs(row.rdp(rate: row.rate, .addOrRemove) - row.epsilons[0]) < 1e-5)
            #expect(abs(correct - row.epsilons[1]) < 1e-5)
            #expect(abs(row.rdp(rate: 1, .replaceOne) - row.epsilons[3]) < 1e-5)
            #expect(abs(row.rdp(rate: 1, .addOrRemove) - row.epsilons[4]) < 1e-5)
            // As for coins, or with the sensitivity of one agent's coming or going, it would be
            // much too little.
            #expect(correct > 1.5 * row.epsilons[0])
            #expect(correct > 2 * row.epsilons[2])
        }
    }

    @Test("the tight accountant's bounds for replacements lie between those of two others")
    func replacements() throws {
        for row in try Pitfall.all() {
            func pld(_ multiplier: Double, _ neighbouring: Neighbouring) -> Double {
                PLDAccountant.epsilon(
                    noiseMultiplier: multiplier, samplingRate: row.rate, rounds: row.rounds,
                    delta: row.delta, neighbouring: neighbouring)
            }
            // A replacement is as bad as coming or going at half the noise, or worse.
            #expect(pld(row.multiplier, .replaceOne) >= pld(row.multiplier / 2, .addOrRemove))
            #expect(pld(row.multiplier, .replaceOne) <= row.rdp(rate: row.rate, .replaceOne))
        }
    }

    /// For e^epsilon >= 1 one replacement has the divergence of one removal at half the noise.
    @Test("one round with replacement is never below its closed form")
    func oneReplacement() {
        for (multiplier, rate) in [(1.0, 0.01), (2, 0.3), (0.8, 0.9), (6, 0.1)] {
            let gaussian = PLDAccountant.epsilon(
                noiseMultiplier: multiplier / 2, samplingRate: 1, rounds: 1, delta: 1e-6 / rate)
            let exact = log1p(rate * expm1(gaussian))
            let epsilon = PLDAccountant.epsilon(
                noiseMultiplier: multiplier, samplingRate: rate, rounds: 1, delta: 1e-6,
                neighbouring: .replaceOne)
            #expect(epsilon >= exact * (1 - 1e-7))
            #expect(epsilon <= exact * 1.001 + 5e-4)
        }
    }

    @Test("everyone's rounds cost a replacement exactly half the noise")
    func everyone() {
        let replaced = PLDAccountant.epsilon(
            noiseMultiplier: 3, samplingRate: 1, rounds: 7, delta: 1e-5, neighbouring: .replaceOne)
        let halved = PLDAccountant.epsilon(
            noiseMultiplier: 1.5, samplingRate: 1, rounds: 7, delta: 1e-5)
        #expect(replaced == halved)
    }

    @Test("samples of fixed size are refused when agents come and go")
    func fixedSize() throws {
        let fault = #expect(throws: Fault.self) {
            try CohortDraw.fixedSize.check(with: .addOrRemove)
        }
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("not a Poisson sample") == true)
        #expect(fault?.remedy.contains("replace-one") == true)
        try CohortDraw.fixedSize.check(with: .replaceOne)
        try CohortDraw.poisson.check(with: .addOrRemove)
        try CohortDraw.poisson.check(with: .replaceOne)
    }
}
