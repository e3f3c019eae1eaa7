import Privacy
import Testing

@Suite("The integer scale of the noise")
struct NoiseScaleTests {
    @Test("sigma is ceil(z B)")
    func ceiling() {
        let rows: [(multiplier: Double, bound: Int64, sigma: UInt64)] = [
            (1, 49, 7), (1, 50, 8), (1, 48, 7), (0.5, 64, 4), (0.5, 65, 5), (3, 2, 5), (0.25, 1, 1),
            (1e-300, 4, 1), (0, 100, 0), (2, 0, 0), (0.05, 45_681_042, 338),
            (10, 45_681_042, 67_588), (0x1p40, 9, 3 << 40),
        ]
        for row in rows {
            let sigma = noiseSigma(
                multiplier: row.multiplier, squaredNormBound: row.bound)
            #expect(sigma == row.sigma, "z = \(row.multiplier), B^2 = \(row.bound)")
        }
    }

    @Test("sigma is exact where float arithmetic rounds the root down")
    func exactness() {
        let root: Int64 = 3_037_000_499
        #expect(Double(root * root + 1).squareRoot() == Double(root))
        #expect(noiseSigma(multiplier: 1, squaredNormBound: root * root) == UInt64(root))
        #expect(noiseSigma(multiplier: 1, squaredNormBound: root * root + 1) == UInt64(root) + 1)
        // The double nearest 0.1 is above a tenth, so ten times ten of it is above 1.
        #expect(noiseSigma(multiplier: 0.1, squaredNormBound: 100) == 2)
        #expect(noiseSigma(multiplier: (0.1).nextDown, squaredNormBound: 100) == 1)
    }
}
