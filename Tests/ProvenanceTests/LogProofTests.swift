import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("Log proofs")
struct LogProofTests {
    private let log = LogUnderTest(leaves: 300)
    private let signer: LogSigner
    private let stranger: LogSigner

    init() throws {
        signer = try LogSigner(name: "tributary/north", key: PrivateKey.generate(.ed25519))
        stranger = try LogSigner(name: "tributary/north", key: PrivateKey.generate(.ed25519))
    }

    private func proof(_ index: UInt64) throws -> LogProof {
        LogProof(
            leaf: log.leaves[Int(index)], index: index, path: log.inclusion(index, log.size),
            checkpoint: try signer.sign(log.checkpoint(log.size)).note)
    }

    @Test("are text as C2SP's tlog-proof has it, and verify")
    func format() throws {
        let proof = try proof(299)
        let lines = String(decoding: proof.encoded(), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "c2sp.org/tlog-proof@v1")
        #expect(lines[1] == "extra \(Data("leaf 299".utf8).base64EncodedString())")
        #expect(lines[2] == "index 299")
        #expect(lines[3...].prefix { !$0.isEmpty }.count == proof.path.count)
        #expect(lines[4 + proof.path.count] == "tributary/north")
        let read = try LogProof(parsing: proof.encoded())
        #expect(read == proof)
        #expect(try read.verify(key: signer.verifier).checkpoint == log.checkpoint(300))
    }

    @Test("of the only leaf of a log have no hashes")
    func single() throws {
        let log = LogUnderTest(leaves: 1)
        let proof = LogProof(
            leaf: log.leaves[0], index: 0, path: [],
            checkpoint: try signer.sign(log.checkpoint(1)).note)
        let read = try LogProof(parsing: proof.encoded())
        #expect(try read.verify(key: signer.verifier).checkpoint.size == 1)
    }

    @Test("are refused when any bit changes, a line is missing, or the end is cut off")
    func damage() throws {
        let bytes = try proof(123).encoded()
        var changed: [[UInt8]] = []
        for place in bytes.indices {
            changed.append(Array(bytes[..<place]))
            for bit in [0, 5, 7] {
                changed.append(bytes)
                changed[changed.count - 1][place] ^= 1 << UInt8(bit)
            }
        }
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n")
        for index in lines.indices {
            var fewer = lines
            fewer.remove(at: index)
            changed.append(Array(fewer.joined(separator: "\n").utf8))
        }
        for bytes in changed {
            #expect(throws: Fault.self, "\(String(decoding: bytes, as: UTF8.self))") {
                _ = try LogProof(parsing: bytes).verify(key: signer.verifier)
            }
        }
    }

    @Test("for another leaf, place or key are not believed")
    func untrusted() throws {
        let proof = try proof(17)
        let others = [
            LogProof(
                leaf: log.leaves[18], index: 17, path: proof.path, checkpoint: proof.checkpoint),
            LogProof(
                leaf: proof.leaf, index: 18, path: proof.path, checkpoint: proof.checkpoint),
            LogProof(
                leaf: proof.leaf, index: 17, path: Array(proof.path.dropLast()),
                checkpoint: proof.checkpoint),
            LogProof(
                leaf: proof.leaf, index: 17, path: proof.path,
                checkpoint: try signer.sign(log.checkpoint(299)).note),
            LogProof(
                leaf: proof.leaf, index: 17, path: proof.path,
                checkpoint: try stranger.sign(log.checkpoint(300)).note),
        ]
        for other in others {
            let read = try LogProof(parsing: other.encoded())
            let fault = #expect(throws: Fault.self) { _ = try read.verify(key: signer.verifier) }
            #expect(fault?.code == .untrusted)
        }
    }

    @Test("have one spelling: whatever is changed is refused, or read and written as it stands")
    func spelling() throws {
        let bytes = try proof(5).encoded()
        var dice = Dice(seed: 7)
        var taken = 0
        for _ in 0..<2000 {
            let changed = damaged(bytes, using: &dice)
            guard let read = try? LogProof(parsing: changed) else { continue }
            taken += 1
            #expect(read.encoded() == changed)
        }
        #expect(taken > 50)
    }

    @Test("are refused beyond their bounds")
    func bounds() throws {
        let proof = try proof(5)
        func spelt(leaf: Int, hashes: Int) -> [UInt8] {
            LogProof(
                leaf: [UInt8](repeating: 1, count: leaf), index: 5,
                path: [Digest](repeating: Merkle.emptyRoot, count: hashes),
                checkpoint: proof.checkpoint
            ).encoded()
        }
        _ = try LogProof(parsing: spelt(leaf: LogProof.largestLeaf, hashes: 64))
        for bytes in [
            spelt(leaf: LogProof.largestLeaf + 1, hashes: 1), spelt(leaf: 1, hashes: 65), [],
        ] {
            let fault = #expect(throws: Fault.self) { _ = try LogProof(parsing: bytes) }
            #expect(fault?.code == .invalid)
        }
    }
}
