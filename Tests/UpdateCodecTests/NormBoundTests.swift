import Federation
import Testing
import UpdateCodec

@Suite("The norm bound of a lattice")
struct NormBoundTests {
    /// floor of the smaller bound, computed with 60 decimal digits.
    static let bounds: [(dimension: Int, kappa: Float, bound: Int64)] = [
        (1, 6, 469), (12, 6, 5454), (16_384, 6, 7_347_356), (101_888, 6, 45_681_042),
        (10_112, 4, 10_199_299), (1_048_576, 8, 264_536_448), (72, 0.5, 127 * 127 * 72),
    ]

    @Test("the bound is the stated integer", arguments: bounds)
    func bound(row: (dimension: Int, kappa: Float, bound: Int64)) {
        let lattice = Lattice.sample(parameters: row.dimension, kappa: row.kappa)
        #expect(lattice.dimension == row.dimension)
        #expect(lattice.squaredNormBound == row.bound)
    }

    @Test("the bound depends on kappa and D alone")
    func boundStays() {
        var lattice = Lattice.sample(parameters: 101_773, norm: 3)
        let bound = lattice.squaredNormBound
        lattice.clippingNorm = 0.1
        lattice.step /= 7
        #expect(lattice.squaredNormBound == bound)
        lattice.parameters = 101_888
        #expect(lattice.squaredNormBound == bound)
        lattice.kappa = 5
        #expect(lattice.squaredNormBound > bound)
    }

    @Test("a plan's lattice has step kappa C / (127 sqrt D) and 8-bit elements")
    func latticeOfPlan() {
        let lattice = Lattice(plan: .sample, rotationSeed: 9)
        #expect(lattice.parameters == 784 * 128 + 128 + 128 * 10 + 10 + 3)
        #expect(lattice.dimension == 101_888)
        let step = 6 * 3.5 / (127 * 101_888.0.squareRoot())
        #expect(abs(Double(lattice.step) / step - 1) < 3e-7)
        #expect(lattice.clippingNorm == 3.5)
        #expect(lattice.elementBits == 8)
        #expect(lattice.modulus == 0)
        #expect(lattice.rotationSeed == 9)
    }

    @Test("an update of D small values is admitted, one of another length is not")
    func length() {
        let lattice = Lattice.sample(parameters: 70)
        #expect(lattice.admits([Int8](repeating: 3, count: 72)))
        #expect(!lattice.admits([Int8](repeating: 3, count: 70)))
        #expect(!lattice.admits([Int8](repeating: 3, count: 73)))
        #expect(!lattice.admits([]))
    }

    @Test("-128 is not admitted even when the norm would be")
    func range() {
        let lattice = Lattice.sample(parameters: 70)
        var values = [Int8](repeating: 0, count: 72)
        values[40] = -127
        #expect(lattice.admits(values))
        values[40] = -128
        #expect(128 * 128 < lattice.squaredNormBound)
        #expect(!lattice.admits(values))
    }

    @Test("a norm at the bound is admitted, one above it is not")
    func norm() {
        let lattice = Lattice.sample(parameters: 1)
        #expect(lattice.squaredNormBound == 469)
        #expect(lattice.admits([21]))
        #expect(lattice.admits([-21]))
        #expect(!lattice.admits([22]))
        #expect(!lattice.admits([-22]))

        let wide = Lattice.sample(parameters: 12)
        #expect(wide.squaredNormBound == 5454)
        // 73^2 + 11^2 + 2^2 = 5454.
        var values: [Int8] = [73, 11, 2] + [Int8](repeating: 0, count: 9)
        #expect(wide.admits(values))
        values[11] = 1
        #expect(!wide.admits(values))
    }
}
