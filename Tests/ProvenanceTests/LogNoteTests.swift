import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("Signed notes")
struct LogNoteTests {
    private let vectors: LogVectors
    private var note: [UInt8] { Array(vectors.checkpoint.utf8) }

    init() throws { vectors = try LogVectors.read() }

    @Test("have one spelling: whatever is changed is refused, or read and written as it stands")
    func spelling() throws {
        #expect(try SignedNote(parsing: note).encoded() == note)
        var dice = Dice(seed: 5)
        var taken = 0
        for _ in 0..<3000 {
            let changed = damaged(note, using: &dice)
            guard let read = try? SignedNote(parsing: changed) else { continue }
            taken += 1
            #expect(read.encoded() == changed)
        }
        #expect(taken > 100)
    }

    @Test("keep empty lines in their text, which ends at the last one")
    func emptyLines() throws {
        let note = try SignedNote(parsing: Array("a\n\nb\n\n\u{2014} k AAAAAAA=\n".utf8))
        #expect(note.text == "a\n\nb\n")
    }

    @Test(
        "are refused when malformed",
        arguments: [
            "", "\n", "\n\n", "a", "a\n", "a\n\n", "a\n\u{2014} k AAAAAAA=\n",
            "a\n\n\u{2014} k AAAAAAA=", "a\n\n\u{2014} k AAAAAAA=\n\n", "a\n\n- k AAAAAAA=\n",
            "a\n\n\u{2014} k AAAAAA==\n", "a\n\n\u{2014} k AAAAAAB=\n", "a\n\n\u{2014} k AAAAAAA\n",
            "a\n\n\u{2014}k AAAAAAA=\n", "a\n\n\u{2014}  AAAAAAA=\n", "a\n\n\u{2014} k+ AAAAAAA=\n",
            "a\n\n\u{2014} k\u{00A0}l AAAAAAA=\n", "a\n\n\u{2014} k  AAAAAAA=\n",
            "a\r\n\n\u{2014} k AAAAAAA=\n", "a\0\n\n\u{2014} k AAAAAAA=\n",
            "a\n\n\u{2014} k AAAAAAA=\nb\n",
        ])
    func malformed(text: String) {
        let fault = #expect(throws: Fault.self) { _ = try SignedNote(parsing: Array(text.utf8)) }
        #expect(fault?.code == .invalid)
    }

    @Test("are refused when they are not UTF-8, too large or have too many signatures")
    func bounds() throws {
        let line = "\u{2014} k AAAAAAA=\n"
        let most = "a\n\n" + String(repeating: line, count: 100)
        #expect(try SignedNote(parsing: Array(most.utf8)).encoded() == Array(most.utf8))
        let large = String(repeating: "a", count: 64 << 10) + "\n\n" + line
        for text in [most + line, large] {
            #expect(throws: Fault.self) { _ = try SignedNote(parsing: Array(text.utf8)) }
        }
        #expect(throws: Fault.self) { _ = try SignedNote(parsing: [0xFF] + Array(most.utf8)) }
    }

    @Test("name keys as Go's sumdb/note does")
    func keys() throws {
        let log = try LogKey(vkey: vectors.logVkey)
        #expect(log.name == vectors.origin)
        #expect(log.vkey == vectors.logVkey)
        let key = try LogVectors.key(seed: vectors.logSeed)
        #expect(try LogKey(name: vectors.origin, key: key.publicKey) == log)
        let witness = try WitnessKey(vkey: vectors.witnessVkey)
        #expect(witness.vkey == vectors.witnessVkey)
        let witnessKey = try LogVectors.key(seed: vectors.witnessSeed)
        #expect(witness.key == witnessKey.publicKey)
    }

    @Test("refuse a verifier key that is changed or of another kind")
    func wrongKeys() throws {
        var dice = Dice(seed: 6)
        for _ in 0..<500 {
            let changed = String(
                decoding: damaged(Array(vectors.logVkey.utf8), using: &dice), as: UTF8.self)
            if changed == vectors.logVkey { continue }
            #expect(throws: Fault.self, "\(changed)") { _ = try LogKey(vkey: changed) }
        }
        #expect(throws: Fault.self) { _ = try LogKey(vkey: vectors.witnessVkey) }
        #expect(throws: Fault.self) { _ = try WitnessKey(vkey: vectors.logVkey) }
    }

    @Test("refuse a key with a name that a line cannot carry, or of another curve")
    func names() throws {
        let key = try LogVectors.key(seed: vectors.logSeed).publicKey
        for name in ["", "a b", "a+b", "a\nb", "a\u{7F}", "é", String(repeating: "a", count: 256)] {
            #expect(throws: Fault.self, "\(name)") { _ = try LogKey(name: name, key: key) }
        }
        let other = try PrivateKey.generate(.p256)
        #expect(throws: Fault.self) { _ = try LogKey(name: "a", key: other.publicKey) }
        #expect(throws: Fault.self) { _ = try LogSigner(name: "a", key: other) }
    }
}

/// `bytes` with one to three of them changed, dropped, doubled or swapped for a telling one.
func damaged(_ bytes: [UInt8], using dice: inout Dice) -> [UInt8] {
    var changed = bytes
    for _ in 0..<Int.random(in: 1...3, using: &dice) {
        let place = Int.random(in: 0..<changed.count, using: &dice)
        switch UInt8.random(in: 0...4, using: &dice) {
        case 0: changed[place] ^= 1 << UInt8.random(in: 0...7, using: &dice)
        case 1: changed.remove(at: place)
        case 2: changed.insert(changed[place], at: place)
        case 3: changed.insert(UInt8.random(in: 0...255, using: &dice), at: place)
        default: changed[place] = Array("\n +=0/A\r".utf8).randomElement(using: &dice) ?? 0
        }
        if changed.isEmpty { return changed }
    }
    return changed
}
