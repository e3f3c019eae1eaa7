import AdminConsole
import Federation
import Provenance
import Testing
import Wire

@Suite("Reading the log")
struct LogQueryTests {
    /// A session with a coordinator that sends at most three leaves an answer.
    private func session(_ log: SmallLog) -> AdminSession<ScriptedStream> {
        AdminSession(
            ScriptedStream { message in
                guard case .adminRequest(.auditLog(let show)) = message else { return nil }
                let end = min(UInt64(log.leaves.count), show.first + UInt64(min(show.limit, 3)))
                let items = show.first < end ? (show.first..<end).map { log.entry(Int($0)) } : []
                return .adminResponse(
                    .log(LogEntries(size: UInt64(log.leaves.count), items: items)))
            })
    }

    private func positions(_ query: LogQuery, count: Int = 20) throws -> [UInt64] {
        var session = session(try SmallLog(count: count))
        let entries = try session.log(query)
        #expect(entries.size == UInt64(count))
        return entries.items.map(\.index)
    }

    @Test("the newest leaves are shown, or those from a position on")
    func range() throws {
        #expect(try positions(LogQuery(limit: 4)) == [16, 17, 18, 19])
        #expect(try positions(LogQuery(limit: 100)) == Array(0..<20))
        #expect(try positions(LogQuery(first: 2, limit: 5)) == [2, 3, 4, 5, 6])
        #expect(try positions(LogQuery(first: 18, limit: 5)) == [18, 19])
        #expect(try positions(LogQuery(first: 20, limit: 5)) == [])
        #expect(try positions(LogQuery(limit: 5), count: 0) == [])
    }

    @Test("leaves are chosen by plan and by kind")
    func selection() throws {
        #expect(
            try positions(LogQuery(kind: "modelSigned", limit: 100)) == [0, 3, 6, 9, 12, 15, 18])
        #expect(try positions(LogQuery(kind: "modelSigned", limit: 2)) == [15, 18])
        #expect(try positions(LogQuery(kind: "modelSigned", first: 4, limit: 2)) == [6, 9])
        #expect(
            try positions(LogQuery(plan: "tiny", kind: "modelSigned", limit: 100)) == [
                0, 6, 12, 18,
            ])
        #expect(try positions(LogQuery(plan: "nobody", limit: 100)) == [])
        #expect(try positions(LogQuery(kind: "agentRevoked", limit: 100)) == [])
    }

    @Test("a coordinator that skips or repeats a leaf is caught")
    func gaps() throws {
        let log = try SmallLog(count: 6)
        for order in [[0, 2], [0, 0], [1]] {
            var session = AdminSession(
                ScriptedStream { message in
                    guard case .adminRequest(.auditLog(let show)) = message else { return nil }
                    let items = show.limit == 0 ? [] : order.map(log.entry)
                    return .adminResponse(.log(LogEntries(size: 6, items: items)))
                })
            let fault = #expect(throws: Fault.self) {
                _ = try session.log(LogQuery(first: 0, limit: 6))
            }
            #expect(fault?.code == .untrusted)
        }
    }

    @Test("a leaf is shown as its position, time, event and what it says")
    func table() throws {
        let digest = String(repeating: "ab", count: 32)
        let leaf =
            #"{"event":"modelSigned","time":1700000000,"plan":"tiny","version":3,"model":"\#(digest)","#
            + #""reason":"a \"b\", c: \\d\n","rows":"\#(digest)"}"#
        let log = try SmallLog(leaves: [Array(leaf.utf8), Array("no JSON".utf8)])
        let answer = AdminResponse.log(LogEntries(size: 9, items: [log.entry(0), log.entry(1)]))
        #expect(
            answer.text(width: nil) == """
                POSITION  TIME                  EVENT        WHAT
                       0  2023-11-14 22:13 UTC  modelSigned  plan tiny, version 3, model abababababa…, \
                reason a "b", c: \\d\\n
                       1  2023-11-14 22:13 UTC  ?
                2 leaves of 9

                """)
        #expect(AdminResponse.log(LogEntries(size: 9)).text(width: nil) == "0 leaves of 9\n")
    }

    @Test("a proof is checked before it is passed on")
    func proof() throws {
        let log = try SmallLog(count: 5)
        let fleet = try SmallFleet(log: log.signer.verifier)
        var wrong = try log.proof(of: 2)
        wrong = .init(
            leaf: log.leaves[1], index: 2, path: wrong.path, checkpoint: wrong.checkpoint)
        for (proof, isRight) in [(try log.proof(of: 2), true), (wrong, false)] {
            var session = AdminSession(
                ScriptedStream { message in
                    switch message {
                    case .adminRequest(.auditProve):
                        .adminResponse(.logProof(LogProofRecord(proof: proof.encoded())))
                    case .adminRequest(.trustShow):
                        .adminResponse(.trust(TrustRecord(document: fleet.trustSet.document)))
                    default: nil
                    }
                })
            if isRight {
                let proven = try session.proof(AuditProve(index: 2))
                #expect(proven.checkpoint.size == 5)
                #expect(
                    proven.text(writtenTo: "F") == "leaf 2 of 5, roundStarted: proof written to F\n"
                )
            } else {
                let fault = #expect(throws: Fault.self) {
                    _ = try session.proof(AuditProve(index: 2))
                }
                #expect(fault?.code == .untrusted)
            }
        }
    }
}
