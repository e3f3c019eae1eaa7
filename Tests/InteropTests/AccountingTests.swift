import Foundation
import Testing

extension InteropTests {
    /// Epsilons of this project against those of another implementation of the same accountants.
    @Suite("tributary-coordinator privacy, beside dp-accounting")
    struct AccountingTests {
        private struct Row: Codable {
            let noiseMultiplier: Double
            let samplingRate: Double
            let rounds: Int
            let delta: Double
            var pld: Double
            var rdp: Double

            enum CodingKeys: String, CodingKey {
                case noiseMultiplier = "noise_multiplier"
                case samplingRate = "sampling_rate"
                case rounds, delta, pld, rdp
            }

            /// What the program is told of it.
            var options: [String] {
                [
                    "--sampling-rate", "\(samplingRate)", "--rounds", "\(rounds)", "--delta",
                    "\(delta)",
                ]
            }
        }

        private struct Answer: Decodable {
            let epsilon: Double
            let noiseMultiplier: Double
            let accountant: String
        }

        private func answer(_ arguments: [String]) async throws -> Answer {
            let finished = try await run(
                Program.coordinator.located(), ["privacy"] + arguments + ["--json"]
            ).succeeded()
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Answer.self, from: Data(finished.output.utf8))
        }

        private func epsilon(_ row: Row, _ accountant: String? = nil) async throws -> Answer {
            try await answer(
                ["epsilon", "--noise-multiplier", "\(row.noiseMultiplier)"] + row.options
                    + (accountant.map { ["--accountant", $0] } ?? []))
        }

        private func check(_ rows: [Row]) async throws -> Finished {
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "rows")
                let lines = try rows.map {
                    String(decoding: try JSONEncoder().encode($0), as: UTF8.self)
                }
                try Data(lines.joined(separator: "\n").utf8).write(to: file)
                return try await run(script: "accounting_agreement.py", "check", file.path)
            }
        }

        @Test("random rows of dp-accounting's come to the same epsilons")
        func theirRows() async throws {
            let made = try await run(script: "accounting_agreement.py", "make", "11", "8")
                .succeeded()
            let rows = try made.output.split(separator: "\n").map {
                try JSONDecoder().decode(Row.self, from: Data($0.utf8))
            }
            try #require(rows.count == 8)
            for row in rows {
                let pld = try await epsilon(row, "pld").epsilon
                #expect(abs(pld - row.pld) <= max(1e-3, 0.005 * row.pld), "\(row): \(pld)")
                let rdp = try await epsilon(row, "rdp").epsilon
                #expect(rdp <= row.rdp + 1e-6 && rdp >= pld, "\(row): \(rdp)")
                // Unless told which, it takes the tighter.
                let either = try await epsilon(row)
                #expect(either.epsilon == pld && either.accountant == "pld")
            }
        }

        @Test("dp-accounting agrees with calibrated noise, and would notice wrong epsilons")
        func ourRows() async throws {
            var rows: [Row] = []
            for (target, rate, rounds) in [(0.7, 0.02, 300), (3, 0.3, 20), (8, 1, 50)] {
                let form = Row(
                    noiseMultiplier: 0, samplingRate: rate, rounds: rounds, delta: 1e-6, pld: 0,
                    rdp: 0)
                let found = try await answer(
                    ["calibrate", "--target-epsilon", "\(target)"] + form.options)
                #expect(found.epsilon <= target && found.epsilon > 0.99 * target)
                var row = Row(
                    noiseMultiplier: found.noiseMultiplier, samplingRate: rate, rounds: rounds,
                    delta: 1e-6, pld: found.epsilon, rdp: 0)
                row.rdp = try await epsilon(row, "rdp").epsilon
                rows.append(row)
            }
            let agreement = try await check(rows)
            #expect(agreement.status == 0, "\(agreement)")
            rows[1].pld *= 0.99
            #expect(try await check(rows).status == 1)
        }

        @Test("what it cannot account for is refused with the reason")
        func refusals() async throws {
            let usual = ["--sampling-rate", "0.1", "--rounds", "10", "--delta", "1e-5"]
            func words(_ arguments: [String]) async throws -> String {
                let finished = try await run(
                    Program.coordinator.located(), ["privacy"] + arguments)
                #expect(finished.status == 64, "\(finished)")
                return finished.errors
            }
            let epsilon = ["epsilon", "--noise-multiplier"]
            #expect(
                try await words(epsilon + ["1"] + usual + ["--sampling", "fixed-size"]).contains(
                    "not a Poisson sample"))
            #expect(try await words(epsilon + ["0"] + usual).contains("must be above 0"))
            #expect(try await words(epsilon + ["nan"] + usual).contains("must be above 0"))
            #expect(
                try await words(epsilon + ["1"] + usual + ["--accountant", "moments"]).contains(
                    "'pld' and 'rdp'"))
            #expect(
                try await words(
                    ["calibrate", "--target-epsilon", "1"]
                        + usual.filter { $0 != "--rounds" && $0 != "10" }
                )
                .contains("either --rounds"))
            let fixed = try await answer(
                epsilon + ["1"] + usual + [
                    "--sampling", "fixed-size", "--neighbouring", "replace-one",
                ])
            #expect(fixed.epsilon > 10)
        }
    }
}
