import Kernels
import Testing

@Suite("Sums of weighted vectors")
struct AccumulateTests {
    @Test("weighted vectors add up exactly in 64 bits")
    func accumulate() {
        var sums: [Int64] = [1, -5, 1 << 40, 0, 0]
        Accumulate.add([127, -127, 1, 0, -128], weight: 1_000_000_007, into: &sums)
        let large: Int64 = 127 * 1_000_000_007
        #expect(
            sums == [1 + large, -5 - large, (1 << 40) + 1_000_000_007, 0, -large - 1_000_000_007])
    }

    @Test("sums of 16 and 32 bits reach to their last integer")
    func narrow() {
        let values: [Int8] = [127, -127, 0]
        var narrow: [Int16] = [Int16.max - 127 * 258, Int16.min + 127 * 258, 5]
        var medium: [Int32] = [Int32.max - 127 * 16_909_320, Int32.min + 127 * 16_909_320, 5]
        values.withUnsafeBufferPointer {
            Accumulate.add($0, weight: Int16(258), into: &narrow)
            Accumulate.add($0, weight: Int32(16_909_320), into: &medium)
        }
        #expect(narrow == [Int16.max, Int16.min, 5])
        #expect(medium == [Int32.max, Int32.min, 5])
    }

    @Test("a squared norm counts every value, and there is none beside a -128")
    func norm() {
        // More than a run of the kernel, and no whole number of vectors.
        var values = (0..<40_001).map { Int8($0 % 255 - 127) }
        let expected = values.reduce(into: Int64(0)) { $0 += Int64($1) * Int64($1) }
        #expect(values.withUnsafeBufferPointer(Accumulate.squaredNorm) == expected)
        values[40_000] = -128
        #expect(values.withUnsafeBufferPointer(Accumulate.squaredNorm) == nil)
        #expect([].withUnsafeBufferPointer(Accumulate.squaredNorm) == 0)
    }
}
