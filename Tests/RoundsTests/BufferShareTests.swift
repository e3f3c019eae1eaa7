import Federation
import Rounds
import Testing

/// Holds a share, because `#expect` cannot call what mutates a value.
private final class Memory {
    private var share: BufferShare

    init(_ capacity: Int) { share = BufferShare(capacity: capacity) }

    var used: Int { share.used }
    var waiting: Int { share.waiting }

    func wants(_ id: UInt64, _ bytes: Int) -> Bool { share.wants(id, bytes: bytes) }
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

    @Test("never exceeds its size, and serves everybody in the end")
    func random() {
        var random = SeededRandom(seed: 6)
        let memory = Memory(1000)
        var holders: Set<UInt64> = []
        var served: Set<UInt64> = []
        for id in 0..<2000 as Range<UInt64> {
            if memory.wants(id, Int(random.next() % 400) + 1) { holders.insert(id) }
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
