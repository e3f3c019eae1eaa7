import Provenance
import Testing
import Verification

@Suite("The worked example of Verification")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let fleet = try LoggedFleet()
        try fleet.addVersion()
        try fleet.exportModel(0)
        try fleet.exportLog()
        let (directory, trust) = (fleet.export + "/fashion-0", fleet.trust)
        let (log, checkpoint) = (fleet.logDirectory, fleet.state)

        let report = ModelVerification(
            directory: directory, signature: directory + ".sig", proof: directory + ".tlog-proof",
            trust: .set(trust), log: try LogLocation(log),
            remembered: RememberedCheckpoint(file: checkpoint)
        ).run()
        let failures = report.checks.filter { $0.result == .failed }

        #expect(report.verdict == .verified, "\(failures)")
    }
}
