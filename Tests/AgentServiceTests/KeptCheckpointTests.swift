import AgentService
import Cryptography
import Federation
import Foundation
import Provenance
import Testing

@Suite("The checkpoint that a device keeps")
struct KeptCheckpointTests {
    let temporary: TemporaryDirectory
    let directory: StateDirectory
    let fleet: ExampleFleet
    /// Of a log of 7 leaves.
    let kept: KeptCheckpoint

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StateDirectory(path: "\(temporary.path)/state")
        try directory.prepare()
        fleet = try ExampleFleet()
        kept = try KeptCheckpoint(fleet.exampleLog(leaves: 7).checkpoint())
    }

    @Test("it is read back as it was stored, and there is none before")
    func storage() throws {
        #expect(try KeptCheckpoint.load(directory) == nil)
        try kept.store(in: directory)
        #expect(try KeptCheckpoint.load(directory) == kept)
        #expect(try temporary.contents("state/log-checkpoint") == kept.note)
    }

    @Test("a damaged file is named, and not taken for none")
    func damaged() throws {
        for bytes in [[], Array("tributary/plant\n".utf8), Array(kept.note.dropFirst(20))] {
            try temporary.write(bytes, to: "state/log-checkpoint")
            let fault = fault { () throws(Fault) in _ = try KeptCheckpoint.load(directory) }
            #expect(fault?.code == .storage)
            #expect(fault?.message.contains("log-checkpoint") == true)
        }
    }

    @Test("a log that grew is accepted with its proof", arguments: [7, 8, 12, 300])
    func grown(leaves: Int) throws {
        let log = try fleet.exampleLog(leaves: leaves)
        try kept.check(log.checkpoint().checkpoint, path: log.consistency(from: 7))
        try kept.checkSize(log.checkpoint().checkpoint)
    }

    @Test("a log that shrank is refused, and the likely reason is named")
    func shrunk() throws {
        let log = try fleet.exampleLog(leaves: 6)
        let fault = fault { () throws(Fault) in
            do { try kept.checkSize(log.checkpoint().checkpoint) } catch let fault as Fault {
                throw fault
            } catch { Issue.record("\(error)") }
        }
        #expect(fault?.code == .untrusted)
        #expect(fault?.message.contains("has 6 entries") == true, "\(fault?.message ?? "")")
        #expect(fault?.message.contains("set back") == true)
        #expect(fault?.remedy.contains("backup") == true)
    }

    @Test("a log of the same size or longer that tells another history is refused")
    func forked() throws {
        for more in [0, 1, 20] {
            var log = ExampleLog(signer: fleet.log)
            for _ in 0..<7 + more { log.append(FleetEvent(.tokenIssued, [])) }
            let checkpoint = try log.checkpoint().checkpoint
            let path = log.consistency(from: 7)
            let fault = fault { () throws(Fault) in try kept.check(checkpoint, path: path) }
            #expect(fault?.code == .untrusted)
            #expect(fault?.message.contains("another history") == true)
        }
    }

    @Test("a proof of another growth, or none, is refused")
    func wrongPath() throws {
        let log = try fleet.exampleLog(leaves: 12)
        let checkpoint = try log.checkpoint().checkpoint
        for path in [[], log.consistency(from: 6), Array(log.consistency(from: 7).dropLast())] {
            #expect(fault { () throws(Fault) in try kept.check(checkpoint, path: path) } != nil)
        }
    }

    /// What a log of so many leaves shows for a model in it.
    private func evidence(leaves: Int, consistency: [Digest]?) throws -> ModelEvidence {
        let log = try fleet.exampleLog(leaves: leaves)
        return ModelEvidence(
            signature: [], proof: try log.proof(of: 2), consistency: consistency)
    }

    private func refusal(_ evidence: ModelEvidence) -> Fault? {
        fault { () throws(Fault) in try kept.check(evidence, key: fleet.log.verifier) }
    }

    @Test("a model's proof must be of a log that goes on from here")
    func evidence() throws {
        let grown = try fleet.exampleLog(leaves: 12).consistency(from: 7)
        #expect(refusal(try evidence(leaves: 12, consistency: grown)) == nil)
        let shrunk = refusal(try evidence(leaves: 6, consistency: []))
        #expect(shrunk?.message.contains("set back") == true)
        let forked = refusal(try evidence(leaves: 12, consistency: []))
        #expect(forked?.message.contains("another history") == true)
        // Looked at before, and what proves nothing at all.
        #expect(refusal(try evidence(leaves: 12, consistency: nil)) == nil)
        #expect(refusal(ModelEvidence(signature: [], proof: [1], consistency: [])) == nil)
    }
}
