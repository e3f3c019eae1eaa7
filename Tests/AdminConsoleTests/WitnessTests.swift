import AdminConsole
import Cryptography
import Federation
import Provenance
import Testing
import Wire

@Suite("A witness")
struct WitnessTests {
    private let signer: WitnessSigner

    init() throws {
        signer = try WitnessSigner(name: "example.org/witness", key: .generate(.ed25519))
    }

    @Test("cosigns a log as it grows, and the cosignature carries its time")
    func growing() throws {
        let log = try SmallLog(count: 40)
        var witness = Witness(log: log.signer.verifier)
        #expect(witness.size == 0)
        for (time, size) in [1, 2, 7, 8, 8, 33, 40].enumerated() {
            let record = try log.record(size: size, from: Int(witness.size))
            let cosigned = try witness.cosign(record, with: signer, unix: UInt64(time))
            #expect(cosigned.checkpoint.size == UInt64(size))
            #expect(try Cosignature(by: signer.verifier, on: cosigned).unix == UInt64(time))
            #expect(witness.last == cosigned)
            #expect(witness.size == UInt64(size))
        }
    }

    @Test("remembers what it cosigned")
    func memory() throws {
        let log = try SmallLog(count: 9)
        var witness = Witness(log: log.signer.verifier)
        #expect(try Witness(state: witness.state).last == nil)
        _ = try witness.cosign(try log.record(size: 9, from: 0), with: signer, unix: 5)
        let again = try Witness(state: witness.state)
        #expect(again.log == log.signer.verifier)
        #expect(again.last == witness.last)
    }

    @Test("refuses a log that was set back, and goes on from what it has seen")
    func rollback() throws {
        let log = try SmallLog(count: 12)
        var witness = Witness(log: log.signer.verifier)
        _ = try witness.cosign(try log.record(size: 10, from: 0), with: signer, unix: 1)
        let before = witness.state
        let fault = #expect(throws: Fault.self) {
            _ = try witness.cosign(try log.record(size: 9, from: 0), with: signer, unix: 2)
        }
        #expect(fault?.code == .untrusted)
        #expect(fault?.message == "the log of 10 leaves was set back to 9")
        #expect(witness.state == before)
        _ = try witness.cosign(try log.record(size: 12, from: 10), with: signer, unix: 3)
    }

    @Test("refuses a fork, longer or as long, signed by the log's own key")
    func fork() throws {
        let key = try PrivateKey.generate(.ed25519)
        let log = try SmallLog(count: 20, key: key)
        let fork = try SmallLog(count: 20, key: key, plan: "forked")
        var witness = Witness(log: log.signer.verifier)
        _ = try witness.cosign(try log.record(size: 10, from: 0), with: signer, unix: 1)
        for size in [10, 11, 20] {
            let fault = #expect(throws: Fault.self) {
                _ = try witness.cosign(
                    try fork.record(size: size, from: 10), with: signer, unix: 2)
            }
            #expect(fault?.code == .untrusted)
            #expect(fault?.message.contains("forked") == true)
        }
        #expect(witness.size == 10)
    }

    @Test(
        "refuses another log's checkpoint, and a path that is short or made of anything but digests"
    )
    func others() throws {
        let log = try SmallLog(count: 20)
        let stranger = try SmallLog(leaves: log.leaves)
        var witness = Witness(log: log.signer.verifier)
        _ = try witness.cosign(try log.record(size: 9, from: 0), with: signer, unix: 1)
        var short = try log.record(size: 20, from: 9)
        short.consistency.removeLast()
        var odd = try log.record(size: 20, from: 9)
        odd.consistency[0].removeLast()
        let refused = [
            (try stranger.record(size: 20, from: 9), Fault.Code.untrusted),
            (short, .untrusted), (odd, .invalid), (CheckpointRecord(), .invalid),
        ]
        for (record, code) in refused {
            let fault = #expect(throws: Fault.self) {
                _ = try witness.cosign(record, with: signer, unix: 2)
            }
            #expect(fault?.code == code)
        }
        #expect(witness.size == 9)
    }

    @Test("does not go on from a damaged state")
    func damagedState() throws {
        let log = try SmallLog(count: 3)
        var witness = Witness(log: log.signer.verifier)
        _ = try witness.cosign(try log.record(size: 3, from: 0), with: signer, unix: 1)
        let state = witness.state
        for cut in [0, 5, state.count / 3, state.count - 1] {
            #expect(throws: Fault.self) { _ = try Witness(state: Array(state.prefix(cut))) }
        }
        var edited = String(decoding: state, as: UTF8.self)
        edited.replace("\n3\n", with: "\n2\n")
        let fault = #expect(throws: Fault.self) { _ = try Witness(state: Array(edited.utf8)) }
        #expect(fault?.code == .untrusted)
    }
}
