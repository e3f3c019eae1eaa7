import Cryptography
import Federation
import Foundation
import Provenance
import Testing

@Suite("Checkpoints")
struct LogCheckpointTests {
    private let vectors: LogVectors
    private let log: LogSigner
    private let witness: WitnessSigner
    private let logKey: LogKey
    private static let unix: UInt64 = 1_767_000_000

    init() throws {
        vectors = try LogVectors.read()
        logKey = try LogKey(vkey: vectors.logVkey)
        log = try LogSigner(
            name: vectors.origin, key: LogVectors.key(seed: vectors.logSeed))
        witness = try WitnessSigner(
            name: String(vectors.witnessVkey.prefix { $0 != "+" }),
            key: LogVectors.key(seed: vectors.witnessSeed))
    }

    private func checkpoint() throws -> Checkpoint {
        Checkpoint(origin: vectors.origin, size: 8, root: try vectors.root(8))
    }

    /// The vector's note, from which `change` makes another.
    private func note(_ change: (String) -> String) throws -> SignedCheckpoint {
        try SignedCheckpoint(note: Array(change(vectors.checkpoint).utf8), key: logKey)
    }

    @Test("are signed and cosigned byte for byte as the vector")
    func vector() throws {
        let signed = try log.sign(checkpoint())
        #expect(vectors.checkpoint.hasPrefix(String(decoding: signed.note, as: UTF8.self)))
        let parsed = try note { $0 }
        let cosignature = try Cosignature(by: WitnessKey(vkey: vectors.witnessVkey), on: parsed)
        #expect(cosignature.witness == witness.verifier)
        let cosigned = try witness.cosign(signed, unix: cosignature.unix)
        #expect(cosigned == parsed)
        #expect(parsed.note == Array(vectors.checkpoint.utf8))
        let expected = try checkpoint()
        #expect(parsed.checkpoint == expected)
    }

    @Test("ignore lines of unknown keys, even of the same name")
    func unknownLines() throws {
        let stranger = "\u{2014} stranger.example AAAAAAA=\n"
        let namesake = "\u{2014} \(vectors.origin) AAAAAAA=\n"
        let parsed = try note { $0 + stranger + namesake }
        let expected = try checkpoint()
        #expect(parsed.checkpoint == expected)
    }

    @Test("are not believed without the log's own signature, or with any wrong one by its key")
    func unsigned() throws {
        let lines = vectors.checkpoint.split(separator: "\n", omittingEmptySubsequences: false)
        let withoutLog = lines.filter { !$0.hasPrefix("\u{2014} fed") }.joined(separator: "\n")
        let wrong = "\u{2014} \(vectors.origin) XE0+UQ\(String(repeating: "A", count: 84))==\n"
        for text in [withoutLog, vectors.checkpoint + wrong] {
            let fault = #expect(throws: Fault.self) {
                _ = try SignedCheckpoint(note: Array(text.utf8), key: logKey)
            }
            #expect(fault?.code == .untrusted)
        }
        let stranger = try LogKey(
            name: vectors.origin, key: PrivateKey.generate(.ed25519).publicKey)
        let fault = #expect(throws: Fault.self) {
            _ = try SignedCheckpoint(note: Array(vectors.checkpoint.utf8), key: stranger)
        }
        #expect(fault?.code == .untrusted)
    }

    @Test("of another log are not believed, though the key signed them")
    func otherLog() throws {
        let other = Checkpoint(origin: "tributary/south", size: 8, root: try vectors.root(8))
        let fault = #expect(throws: Fault.self) { _ = try log.sign(other) }
        #expect(fault?.code == .untrusted)
    }

    @Test("are refused when any bit of the signed part changes")
    func flipped() throws {
        let bytes = Array(vectors.checkpoint.utf8)
        let line = try #require(vectors.checkpoint.range(of: "\n\u{2014} witness")).lowerBound
        let signedPart = vectors.checkpoint[..<line].utf8.count
        for place in 0..<signedPart {
            for bit in 0..<8 {
                var changed = bytes
                changed[place] ^= 1 << UInt8(bit)
                #expect(throws: Fault.self, "bit \(bit) of \(place)") {
                    _ = try SignedCheckpoint(note: changed, key: logKey)
                }
            }
        }
    }

    @Test(
        "have one spelling",
        arguments: [
            "", "a\n1\n", "a\n01\nROOT\n", "a\n+1\nROOT\n", "a\n-1\nROOT\n", "a\n1\nROOT",
            "a\n1\nROOT\nmore\n", "a\n1\nROOT\n\n", "\n1\nROOT\n", "a b\n1\nROOT\n",
            "a+b\n1\nROOT\n", "a\n1 \nROOT\n", "a\n9223372036854775808\nROOT\n",
            "a\n99999999999999999999\nROOT\n", "a\n1\nAAAA\n", "a\n0\nROOT\n", "a\n\u{661}\nROOT\n",
        ])
    func malformed(text: String) throws {
        let root = Data(try vectors.root(8).bytes).base64EncodedString()
        let spelt = text.replacing("ROOT", with: root)
        #expect(throws: Fault.self) { _ = try Checkpoint(text: spelt) }
        #expect(try Checkpoint(text: "a\n1\n\(root)\n").text == "a\n1\n\(root)\n")
    }

    @Test("of a log without leaves have the empty root")
    func empty() throws {
        let empty = Checkpoint(origin: vectors.origin, size: 0, root: Merkle.emptyRoot)
        let read = try log.sign(empty).checkpoint
        #expect(read == empty)
        let largest = Checkpoint(
            origin: "a", size: LogTree.largestSize, root: try vectors.root(8))
        #expect(try Checkpoint(text: largest.text) == largest)
    }

    @Test("tell by whom they are cosigned, and when")
    func cosignatures() throws {
        let signed = try log.sign(checkpoint())
        #expect(throws: Fault.self) { _ = try Cosignature(by: witness.verifier, on: signed) }
        let once = try witness.cosign(signed, unix: LogCheckpointTests.unix)
        let twice = try witness.cosign(once, unix: LogCheckpointTests.unix + 60)
        #expect(
            try Cosignature(by: witness.verifier, on: twice).unix == LogCheckpointTests.unix + 60)
        let other = try WitnessSigner(name: "other", key: PrivateKey.generate(.ed25519))
        #expect(throws: Fault.self) { _ = try Cosignature(by: other.verifier, on: twice) }
        let both = try other.cosign(twice, unix: 7)
        #expect(try Cosignature(by: other.verifier, on: both).unix == 7)
        #expect(try SignedCheckpoint(note: both.note, key: logKey) == both)
    }

    @Test("are not taken as cosigned when any byte of the cosignature changes")
    func damagedCosignature() throws {
        let text = vectors.checkpoint
        let start = try #require(text.range(of: "IDJKvg")).upperBound
        for place in text.indices[start...].dropLast(4) {
            let replaced = text[place] == "A" ? "B" : "A"
            let changed = text.replacingCharacters(in: place...place, with: replaced)
            guard
                let parsed = try? SignedCheckpoint(note: Array(changed.utf8), key: logKey)
            else { continue }
            #expect(throws: Fault.self) { _ = try Cosignature(by: witness.verifier, on: parsed) }
        }
    }

    @Test("take no more cosignatures than a note can have lines")
    func full() throws {
        var signed = try log.sign(checkpoint())
        for unix in 1..<UInt64(SignedNote.mostSignatures) {
            signed = try witness.cosign(signed, unix: unix)
        }
        let full = signed
        let fault = #expect(throws: Fault.self) { _ = try witness.cosign(full, unix: 100) }
        #expect(fault?.code == .exhausted)
    }
}
