import AgentService
import Configuration
import Federation
import Foundation
import Testing

@Suite("Leaving the fleet")
struct LeavingTests {
    let temporary: TemporaryDirectory
    private let directory: StateDirectory
    private let configuration: AgentConfiguration

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StateDirectory(path: "\(temporary.path)/state")
        configuration = AgentConfiguration(
            stateDirectory: "\(temporary.path)/state", logLevel: "info",
            data: [(plan: try planID("pumps"), directory: "\(temporary.path)/state/data")])
        _ = try ExampleFleet().enrol(in: directory)
        // Owners keep data here, too.
        _ = try temporary.folder("state/data")
        try temporary.write([1], to: "state/data/rows.csv")
        try temporary.write([1], to: "state/update/pumps.header")
        try OwnerPause(sinceUnix: 1, untilUnix: nil, reason: "").write(directory)
    }

    private var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    }

    @Test("offline erases all that is the agent's, no data, and says until when the rest is valid")
    func offline() throws {
        let outcome = try Leaving(configuration).perform(offline: true)
        #expect(names == ["data"])
        #expect(try temporary.contents("state/data/rows.csv") == [1])
        #expect(!outcome.isRevoked)
        let until = try #require(outcome.validUntilUnix)
        #expect(until > UInt64(Date().timeIntervalSince1970))
        #expect(outcome.left == ["\(directory.path)/data"])
        let agent = try #require(outcome.agent)
        #expect(outcome.text.contains("tributary-coordinator agent revoke \(agent)"))
    }

    @Test("a coordinator that cannot be told keeps everything as it is")
    func unreachable() throws {
        let before = names.sorted()
        let refusal = fault { () throws(Fault) in
            _ = try Leaving(configuration).perform(offline: false)
        }
        #expect(refusal?.message.contains("nothing was erased") == true)
        #expect(refusal?.remedy.contains("--offline") == true)
        #expect(names.sorted() == before)
    }

    @Test("what was cut short is finished by the next time, and then there is nothing to leave")
    func again() throws {
        // The certificate goes first.
        try FileManager.default.removeItem(atPath: directory.certificateFile)
        #expect(try Leaving(configuration).identity() == nil)
        let outcome = try Leaving(configuration).perform(offline: false)
        #expect(outcome.agent == nil && names == ["data"])
        let refusal = fault { () throws(Fault) in
            _ = try Leaving(configuration).perform(offline: false)
        }
        #expect(refusal?.code == .notFound)
    }
}
