import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("A plan that cannot be")
    struct PlanInputTests {
        @Test(
            "is refused with its line and column and what to write, and changes nothing",
            arguments: [
                ("learning_rate = 0.02", "learning_rat = 0.02", 1, "did you mean 'learning_rate'?"),
                ("classes = 3", "classes = 1", 11, "write a whole number from 2 to 65536"),
                ("classes = 3", "classes = \"three\"", 11, "write a whole number from 2 to 65536"),
                ("classes = 3", "classes = = 3", 11, "correct the TOML"),
                ("[server]", "[sever]", 2, "did you mean 'server'?"),
            ])
        func impossible(line: String, instead: String, column: Int, remedy: String) async throws {
            let fleet = try ExampleFleet.current
            let toml = ExamplePlan.beads.toml
            let number = try #require(
                toml.split(separator: "\n", omittingEmptySubsequences: false)
                    .firstIndex(of: Substring(line))
            ).advanced(by: 1)
            let file = fleet.directory.appending(path: "impossible.toml")
            try Data(toml.replacingOccurrences(of: line, with: instead).utf8).write(to: file)

            let refusal = try await refusal(of: file, by: fleet)
            let place = "\(file.path):\(number):\(column): "
            #expect(refusal.message.hasPrefix(place), "\(refusal.message)")
            #expect(refusal.remedy == remedy)
            try await expectUnchanged(fleet)
        }

        @Test("is refused when it is missing, no text, or without the coordinator's data")
        func unusable() async throws {
            let fleet = try ExampleFleet.current
            let file = fleet.directory.appending(path: "unusable.toml")
            let missing = try await refusal(of: file, by: fleet)
            #expect(missing.message.contains("does not exist"))
            #expect(missing.remedy == "check the path")

            try Data([0xff, 0xfe, 0x00, 0x80]).write(to: file)
            let noText = try await refusal(of: file, by: fleet)
            #expect(noText.message.contains("\(file.path):1:1: "), "\(noText.message)")

            let stranger = ExamplePlan(name: "stranger", format: .csv)
            try Data(stranger.toml.utf8).write(to: file)
            let noData = try await refusal(of: file, by: fleet)
            #expect(noData.message == "coordinator.toml has no [data.stranger]")
            #expect(noData.remedy.contains("name the directories"), "\(noData.remedy)")
            try await expectUnchanged(fleet)
        }

        private func refusal(
            of file: URL, by fleet: ExampleFleet
        ) async throws -> ErrorAnswer.Content {
            let result = try await fleet.attempt(["plan", "apply", file.path])
            #expect(result.status == 1, "\(result)")
            return (try decoded(result.output) as ErrorAnswer).error
        }

        private func expectUnchanged(_ fleet: ExampleFleet) async throws {
            let answer: PlansAnswer = try await fleet.administer(["plan", "list"])
            #expect(answer.plans.map(\.plan).sorted() == fleet.plans.map(\.name).sorted())
            #expect(answer.plans.allSatisfy { $0.state == "ready" })
            #expect(try await fleet.isServing())
        }
    }
}
