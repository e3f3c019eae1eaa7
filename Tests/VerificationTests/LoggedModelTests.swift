import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("A model with its log proof")
struct LoggedModelTests {
    private let fleet: LoggedFleet

    init() throws {
        fleet = try LoggedFleet()
        try fleet.addVersion()
        try fleet.addVersion()
    }

    private func problem(
        version: Int = 1, bundle: [UInt8]? = nil, proof: [UInt8]? = nil, trust: TrustSet? = nil
    ) throws -> String? {
        do {
            _ = try LoggedModel.verify(
                bundle: bundle ?? fleet.models[version].bundle,
                proof: proof ?? fleet.proof(of: version), trust: trust ?? fleet.trust)
            return nil
        } catch let fault as Fault {
            #expect(fault.code == .untrusted && !fault.remedy.isEmpty)
            return fault.message
        }
    }

    @Test("gives what the leaf says")
    func accepted() throws {
        let version = fleet.models[1]
        let model = try LoggedModel.verify(
            bundle: version.bundle, proof: fleet.proof(of: 1), trust: fleet.trust)
        #expect(model.plan.name == "fashion" && model.version == 1 && model.round == 1)
        #expect(model.model == version.model && model.parent == fleet.models[0].model)
        #expect(model.position == version.position && model.parentVersion == 0)
        #expect(model.checkpoint == (try fleet.checkpoint()))
        #expect(model.signed.files.count == 4)
        let first = try LoggedModel.verify(
            bundle: fleet.models[0].bundle, proof: fleet.proof(of: 0), trust: fleet.trust)
        #expect(first.parent == nil && first.parentVersion == nil)
    }

    @Test("is accepted with certificates for its key, too")
    func certificates() throws {
        let authority = try CertificateAuthority.create(fleet: "lab", nowUnix: 1_800_000_000)
        let leaf = try authority.issueSigning(
            fleet: "lab", key: fleet.modelKey.publicKey, days: 1, nowUnix: 1_800_000_000)
        let files = fleet.models[1].files.map {
            ModelFile(name: $0.name, digest: SHA256.digest(of: $0.bytes))
        }
        let bundle = try ModelSignature.sign(
            name: "fashion-1", files: files, key: fleet.modelKey, certificates: [leaf])
        #expect(try problem(bundle: bundle) == nil)
    }

    @Test("is refused with another fleet's trust set, by the name of the check")
    func anotherFleet() throws {
        let other = try LoggedFleet(name: "other")
        #expect(try problem(trust: other.trust)?.contains("the check 'key'") == true)
    }

    @Test("is refused with the proof of another version")
    func anotherProof() throws {
        let words = try problem(proof: fleet.proof(of: 0))
        #expect(words?.contains("the check 'leaf'") == true)
        #expect(words?.contains("fashion version 0") == true)
    }

    @Test("is refused when the proof is cut short anywhere, and when any byte of it is changed")
    func damagedProof() throws {
        let proof = try fleet.proof(of: 1)
        for count in stride(from: 0, to: proof.count, by: 7) {
            #expect(try problem(proof: Array(proof.prefix(count))) != nil, "\(count) bytes")
        }
        for index in stride(from: 0, to: proof.count, by: 5) {
            var changed = proof
            changed[index] ^= 1
            #expect(try problem(proof: changed) != nil, "byte \(index)")
        }
    }

    @Test("is refused when another key signed the checkpoint, or the path leads elsewhere")
    func checkpoint() throws {
        let honest = try LogProof(parsing: fleet.proof(of: 1))
        let forger = try LogSigner(
            name: fleet.signer.verifier.name, key: PrivateKey.generate(.ed25519))
        let forged = LogProof(
            leaf: honest.leaf, index: honest.index, path: honest.path,
            checkpoint: try forger.sign(fleet.checkpoint().checkpoint).note)
        #expect(try problem(proof: forged.encoded())?.contains("'checkpoint signature'") == true)
        let moved = LogProof(
            leaf: honest.leaf, index: honest.index - 1, path: honest.path,
            checkpoint: honest.checkpoint)
        #expect(try problem(proof: moved.encoded())?.contains("the check 'inclusion'") == true)
    }

    @Test("is refused when its key did not count at its position")
    func keyTooEarlyOrLate() throws {
        let key = fleet.modelKey.publicKey
        func set(_ from: UInt64) throws -> TrustSet {
            try TrustSet.initial(
                fleet: "lab", authorities: fleet.trust.authorities,
                modelKeys: [TrustSet.ModelKey(key: key, from: from)],
                log: fleet.signer.verifier, signedBy: fleet.modelKey)
        }
        let position = fleet.models[1].position
        #expect(try problem(trust: set(position - 1)) == nil)
        #expect(try problem(trust: set(position))?.contains("the check 'signing key'") == true)
        let old = fleet.modelKey
        try fleet.rotate()
        #expect(try problem() == nil, "the retired key's models stay verifiable")
        try fleet.addVersion(key: old)
        #expect(try problem(version: 2)?.contains("the check 'signing key'") == true)
        try fleet.addVersion()
        #expect(try problem(version: 3) == nil)
    }

    @Test("is refused when its key was revoked from before it on")
    func revoked() throws {
        try fleet.rotate(revokedFrom: fleet.models[1].position)
        #expect(try problem(version: 0) == nil)
        #expect(try problem(version: 1)?.contains("revoked") == true)
    }

    @Test(
        "is refused when its leaf names anything else",
        arguments: ["statement", "model", "key"])
    func forgedLeaf(field: String) throws {
        fleet.forgery = [field: .text(SampleFacts.digest("other").hex)]
        try fleet.addVersion()
        fleet.forgery = [:]
        #expect(try problem(version: 2)?.contains("the check 'leaf'") == true)
    }
}
