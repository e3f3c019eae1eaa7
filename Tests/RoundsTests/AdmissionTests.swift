import Federation
import Rounds
import Testing

/// Holds an admission and its clock, because `#expect` cannot call what mutates a value.
private final class Entrance {
    private var admission: Admission
    private(set) var now = MonotonicInstant(nanoseconds: 0)
    /// Those whose handshake has begun, in order.
    private(set) var begun: [UInt64] = []
    private(set) var closed: [UInt64] = []
    private var again: MonotonicInstant?

    init(
        agents: Int = 100, perAddress: Int = 100, reserve: Int = 4, strangers: Int = 2,
        rate: Int = 100, ratePerAddress: Int = 100, waitSeconds: Double = 10
    ) {
        admission = Admission(
            limits: Admission.Limits(
                agents: agents, perAddress: perAddress, reserve: reserve, strangers: strangers,
                handshakesPerSecond: rate, handshakesPerSecondPerAddress: ratePerAddress,
                waitSeconds: waitSeconds), now: now)
    }

    var isFull: Bool { admission.isFull }
    var count: Int { admission.count }
    var agents: Int { admission.agents }

    func arrive(_ id: UInt64, from address: String = "a") -> Bool {
        admission.arrived(id, from: address, now: now)
    }

    /// Somebody arrives, shakes hands at some time, and is an agent.
    func joins(_ id: UInt64, from address: String = "a") -> Bool {
        shakesHands(id, from: address) && admission.isAgent(id)
    }

    /// The same without a certificate.
    func asks(_ id: UInt64, from address: String = "a") -> Bool {
        shakesHands(id, from: address) && admission.isStranger(id)
    }

    private func shakesHands(_ id: UInt64, from address: String) -> Bool {
        guard arrive(id, from: address) else { return false }
        while !begun.contains(id) { pass(0.05) }
        return true
    }

    func isPerson(_ id: UInt64) { admission.isPerson(id) }
    func leaves(_ id: UInt64) { admission.left(id, now: now) }

    func turn() {
        let turn = admission.turn(now: now)
        begun += turn.begin
        closed += turn.close
        again = turn.again
    }

    func pass(_ seconds: Double) {
        now = now.advanced(bySeconds: seconds)
        turn()
    }

    /// Goes on whenever it wants to be asked again, for `seconds`; returns when each handshake began.
    func run(seconds: Double) -> [Double] {
        let end = now.advanced(bySeconds: seconds)
        var times: [Double] = []
        while true {
            let before = begun.count
            turn()
            times += [Double](
                repeating: Double(now.nanoseconds) / 1e9, count: begun.count - before)
            guard let again, again <= end else {
                now = end
                return times
            }
            now = max(again, now.advanced(bySeconds: 0.001))
        }
    }
}

@Suite("Admission of connections")
struct AdmissionTests {
    @Test("begins no more handshakes in any one second than configured, however many wait")
    func rate() {
        let entrance = Entrance(agents: 1000, perAddress: 1000)
        for id in 0..<500 { #expect(entrance.arrive(UInt64(id), from: "address \(id % 7)")) }
        let times = entrance.run(seconds: 10)
        #expect(times.count == 500)
        for (index, time) in times.enumerated() {
            let within = times[index...].count { $0 < time + 1 }
            #expect(within <= 100, "\(within) from second \(time)")
        }
        // Nor much fewer, or a fleet that was cut off would be long in coming back.
        #expect((times.last ?? 0) < 6)
    }

    @Test("lets addresses take turns, so that a crowd behind one delays nobody behind another")
    func fairness() {
        let entrance = Entrance(agents: 1000, perAddress: 1000, rate: 20, ratePerAddress: 20)
        for id in 0..<300 { #expect(entrance.arrive(UInt64(id), from: "crowd")) }
        _ = entrance.run(seconds: 1)
        #expect(entrance.arrive(1000, from: "elsewhere"))
        _ = entrance.run(seconds: 0.2)
        #expect(entrance.begun.contains(1000))
        #expect(entrance.begun.count < 50)
    }

    @Test("bounds how often one address may shake hands, and gives the rest to others")
    func ratePerAddress() {
        let entrance = Entrance(agents: 1000, perAddress: 1000, rate: 100, ratePerAddress: 10)
        for id in 0..<200 { #expect(entrance.arrive(UInt64(id), from: "busy")) }
        for id in 200..<220 { #expect(entrance.arrive(UInt64(id), from: "other \(id)")) }
        _ = entrance.run(seconds: 1)
        #expect(entrance.begun.count { $0 < 200 } <= 10)
        #expect(entrance.begun.count { $0 >= 200 } == 20)
    }

    @Test("does not forget what an address has used when it leaves and comes back")
    func comingBack() {
        let entrance = Entrance(rate: 1000, ratePerAddress: 10)
        for id in 0..<100 {
            #expect(entrance.arrive(UInt64(id)))
            entrance.turn()
            entrance.leaves(UInt64(id))
        }
        #expect(entrance.begun.count == 1)
    }

    @Test("keeps no more agents from one address than configured, and lets a person in beside them")
    func perAddress() {
        let entrance = Entrance(perAddress: 3)
        for id in 0..<3 { #expect(entrance.joins(UInt64(id))) }
        #expect(!entrance.joins(3))
        #expect(entrance.joins(4, from: "b"))
        entrance.leaves(3)
        #expect(entrance.arrive(5))
        entrance.pass(0.1)
        entrance.isPerson(5)
        entrance.leaves(0)
        #expect(entrance.joins(6))
    }

    @Test("lets only a few more ask from an address that has as many agents as it may")
    func spare() {
        let entrance = Entrance(perAddress: 3)
        for id in 0..<3 { #expect(entrance.joins(UInt64(id))) }
        #expect((3..<100).count { entrance.arrive($0) } == 8)
    }

    @Test("leaves half of the free places when peers that nobody knows crowd in from one address")
    func crowd() {
        let entrance = Entrance(agents: 2, reserve: 10)
        #expect(entrance.joins(1, from: "b"))
        #expect(entrance.joins(2, from: "c"))
        #expect((10..<100).count { entrance.arrive($0) } == 5)
        #expect(!entrance.isFull)
        #expect(entrance.arrive(100, from: "b"))
    }

    @Test("gives peers without a certificate no agent's place and not the whole reserve")
    func strangers() {
        let entrance = Entrance(agents: 2, reserve: 20, strangers: 8)
        #expect((0..<10).count { entrance.asks($0) } == 4)
        #expect((10..<30).count { entrance.asks($0, from: "address \($0)") } == 4)
        for id in 10..<30 as Range<UInt64> { entrance.leaves(id) }
        #expect(entrance.asks(30, from: "b"))
        #expect(entrance.agents == 0)
        #expect(entrance.joins(31, from: "c"))
        #expect(entrance.joins(32, from: "c"))
    }

    @Test("sends the agent away that is one too many, and never a person")
    func full() {
        let entrance = Entrance(agents: 2)
        #expect(entrance.joins(1))
        #expect(entrance.joins(2))
        #expect(!entrance.joins(3))
        entrance.leaves(3)
        for id in 10..<20 {
            #expect(entrance.arrive(UInt64(id)))
            while !entrance.begun.contains(UInt64(id)) { entrance.pass(0.05) }
            entrance.isPerson(UInt64(id))
        }
        #expect(!entrance.isFull)
        entrance.leaves(1)
        #expect(entrance.joins(4))
        #expect(entrance.agents == 2)
    }

    @Test("is full when nobody could be asked who it is, until somebody leaves")
    func noPlace() {
        let entrance = Entrance(agents: 2, reserve: 2)
        for id in 0..<4 as Range<UInt64> { #expect(entrance.arrive(id, from: "address \(id)")) }
        #expect(entrance.isFull)
        entrance.turn()
        entrance.isPerson(0)
        #expect(!entrance.isFull)
    }

    @Test("closes who has waited too long, and begins no handshake with who has left")
    func waitedTooLong() {
        let entrance = Entrance(rate: 10, ratePerAddress: 10, waitSeconds: 2)
        for id in 0..<50 { #expect(entrance.arrive(UInt64(id))) }
        for id in 5..<10 { entrance.leaves(UInt64(id)) }
        _ = entrance.run(seconds: 5)
        #expect(entrance.begun.allSatisfy { !(5..<10).contains($0) })
        #expect((15...25).contains(entrance.begun.count))
        #expect(entrance.begun.count + entrance.closed.count == 45)
        for id in 0..<50 { entrance.leaves(UInt64(id)) }
        #expect(entrance.count == 0)
    }

    @Test("keeps count of whatever comes and goes in any order")
    func random() {
        var random = SeededRandom(seed: 5)
        let entrance = Entrance(agents: 20, perAddress: 8, reserve: 5)
        var present: [UInt64] = []
        for id in 0..<3000 as Range<UInt64> {
            if entrance.isFull || random.next() % 2 == 0, !present.isEmpty {
                entrance.leaves(present.remove(at: Int(random.next() % UInt64(present.count))))
            } else if entrance.arrive(id, from: "address \(random.next() % 6)") {
                present.append(id)
            }
            entrance.pass(0.01)
            #expect(entrance.count == present.count)
            #expect(entrance.count <= 25)
        }
        for id in present { entrance.leaves(id) }
        #expect(entrance.count == 0)
    }
}
