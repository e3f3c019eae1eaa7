import Federation
import Rounds
import Testing

/// Holds a share, because `#expect` cannot call what mutates a value.
private final class Memory {
    private var share: BufferShare

    init(_ capacity: Int) { share = BufferShare(capacity: capacity) }

    var used: Int { share.used }
    var waiting: Int { share.waiting }

    /// - Parameter owner: nil: its own.
    func wants(_ id: UInt64, _ bytes: Int, of owner: String? = nil) -> Bool {
        share.wants(id, of: owner ?? "owner \(id)", bytes: bytes)
    }
    func release(_ id: UInt64) -> [UInt64] { share.released(id) }
}

@Suite("Memory for large messages")
struct BufferShareTests {
    @Test("goes to who comes first, and to the next when it is given back")
    func order() {
        let memory = Memory(100)
        #expect(memory.wants(1, 60))
        #expect(!memory.wants(2, 60))
        // It would fit, but not before its turn.
        #expect(!memory.wants(3, 10))
        #expect(memory.release(1) == [2, 3])
        #expect(memory.used == 70)
    }

    @Test("is not waited for by who has left")
    func leaving() {
        let memory = Memory(100)
        #expect(memory.wants(1, 100))
        #expect(!memory.wants(2, 100))
        #expect(!memory.wants(3, 100))
        #expect(memory.release(2) == [])
        #expect(memory.release(1) == [3])
        #expect(memory.waiting == 0)
    }

    @Test("serves one message of any size")
    func oversized() {
        let memory = Memory(100)
        #expect(memory.wants(1, 1000))
        #expect(!memory.wants(2, 1))
        #expect(memory.release(1) == [2])
    }

    @Test("is two shares for an owner, however many connections it opens")
    func connectionsOfOne() {
        let memory = Memory(140)
        #expect(memory.wants(1, 40, of: "greedy"))
        // One whose connection broke does not wait behind it.
        #expect(memory.wants(2, 40, of: "greedy"))
        for id in 3...50 as ClosedRange<UInt64> { #expect(!memory.wants(id, 40, of: "greedy")) }
        #expect(memory.used == 80)
        // The rest of the memory is free for others, though forty-eight wait.
        #expect(memory.wants(51, 40, of: "modest"))
        #expect(!memory.wants(52, 40, of: "patient"))
        // Who waited is served before the greedy one's next connection.
        #expect(memory.release(1) == [52])
        #expect(memory.release(51) == [3])
        #expect(memory.release(52) == [])
        #expect(memory.used == 80)
    }

    @Test("goes on to the next of an owner's connections that is still there")
    func leavingOneOfMany() {
        let memory = Memory(100)
        #expect(memory.wants(1, 40, of: "one"))
        #expect(memory.wants(2, 40, of: "one"))
        #expect(!memory.wants(3, 40, of: "one"))
        #expect(!memory.wants(4, 40, of: "one"))
        #expect(memory.release(3) == [])
        #expect(memory.release(1) == [4])
        #expect(memory.release(2) == [])
        #expect(memory.release(4) == [])
        #expect(memory.used == 0 && memory.waiting == 0)
        #expect(memory.wants(5, 100, of: "one"))
    }

    @Test("never exceeds its size, and serves everybody in the end", arguments: [2000, 40])
    func random(owners: UInt64) {
        var random = SeededRandom(seed: 6)
        let memory = Memory(1000)
        var holders: Set<UInt64> = []
        var served: Set<UInt64> = []
        for id in 0..<2000 as Range<UInt64> {
            let bytes = Int(random.next() % 400) + 1
            if memory.wants(id, bytes, of: "\(id % owners)") { holders.insert(id) }
            while memory.waiting > 20, let done = holders.randomElement(using: &random) {
                holders.remove(done)
                served.insert(done)
                holders.formUnion(memory.release(done))
            }
            #expect(memory.used <= 1000)
        }
        while let done = holders.first {
            holders.remove(done)
            served.insert(done)
            holders.formUnion(memory.release(done))
        }
        #expect(served.count == 2000)
        #expect(memory.used == 0)
    }
}
