import CoordinatorService
import Testing

/// Holds spare memory, because `#expect` cannot call what mutates a value.
private final class Spare {
    private var memory = SpareMemory()

    /// - Returns: the capacity of what was given.
    func give(atLeast size: Int) -> Int {
        var block: [UInt8] = []
        block.reserveCapacity(size)
        let capacity = block.capacity
        memory.give(block)
        return capacity
    }

    func take(for size: Int) -> Int { memory.take(for: size).capacity }
}

@Suite("Memory of counted updates")
struct SpareMemoryTests {
    @Test("is used again for updates that fit it, once")
    func again() {
        let spare = Spare()
        let capacity = spare.give(atLeast: 100_000)
        #expect(spare.take(for: 100_000) == capacity)
        #expect(spare.take(for: 100_000) == 0)
    }

    @Test("is not used for far smaller updates, nor for larger ones")
    func otherSizes() {
        let spare = Spare()
        let large = spare.give(atLeast: 100_000)
        let small = spare.give(atLeast: 10_000)
        #expect(spare.take(for: 1_000) == 0)
        #expect(spare.take(for: large + 1) == 0)
        #expect(spare.take(for: 100_000) == large)
        #expect(spare.take(for: 10_000) == small)
    }

    @Test("is no more than sixteen MiB")
    func bounded() {
        let spare = Spare()
        for _ in 0..<20 { _ = spare.give(atLeast: 1_500_000) }
        var held = 0
        while spare.take(for: 1_500_000) > 0 { held += 1 }
        #expect((1...11).contains(held))
    }
}
