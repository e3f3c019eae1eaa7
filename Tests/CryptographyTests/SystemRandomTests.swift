import Cryptography
import Federation
import Testing

@Suite("The system's random generator")
struct SystemRandomTests {
    @Test("never returns the same bytes from a copy")
    func copies() {
        var one = SystemRandom()
        _ = one.bytes(16)
        var other = one
        var seen: Set<[UInt8]> = []
        for _ in 0..<400 {
            seen.insert(one.bytes(16))
            seen.insert(other.bytes(16))
        }
        #expect(seen.count == 800)
    }

    @Test(
        "fills every byte of requests below, at and above its buffer",
        arguments: [1, 4095, 4096, 70_000])
    func sizes(count: Int) {
        var random = SystemRandom()
        var seen = [UInt8](repeating: 0, count: count)
        // A byte that stays zero in eight draws has a chance of 2^-64.
        for _ in 0..<8 {
            for (index, byte) in random.bytes(count).enumerated() { seen[index] |= byte }
        }
        #expect(seen.allSatisfy { $0 != 0 })
    }

    @Test("an empty request is harmless")
    func nothing() {
        var random = SystemRandom()
        #expect(random.bytes(0).isEmpty)
    }
}
