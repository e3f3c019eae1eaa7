import Kernels
import Testing

@Suite("Matrix products")
struct BlasTests {
    @Test("the self-test passes and names the core")
    func selfTest() {
        let result = Blas.selfTest()
        #expect(Blas.isMissing == (result.core == "unknown"))
        #expect(result.passed)
        #expect(!result.core.isEmpty)
    }

    @Test("transposed operands, a decayed target and small sizes multiply as written")
    func orientations() {
        let (m, n, k) = (2, 3, 2)
        let a: [Float] = [1, 2, 3, 4]  // [[1, 2], [3, 4]]
        let b: [Float] = [1, 0, 2, 0, 1, 3]  // [[1, 0, 2], [0, 1, 3]]
        let product: [Float] = [1, 2, 8, 3, 4, 18]
        var c = [Float](repeating: 100, count: 6)
        Blas.multiply(a, b, m: m, n: n, k: k, into: &c)
        #expect(c == product)
        Blas.multiply([1, 3, 2, 4], transposeA: true, b, m: m, n: n, k: k, into: &c)
        #expect(c == product)
        Blas.multiply(a, [1, 0, 0, 1, 2, 3], transposeB: true, m: m, n: n, k: k, into: &c)
        #expect(c == product)
        Blas.multiply(a, b, m: m, n: n, k: k, beta: 0.5, into: &c)
        #expect(c == product.map { 1.5 * $0 })
    }
}
