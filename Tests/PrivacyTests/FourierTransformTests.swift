import Glibc
import Privacy
import Testing

@Suite("The Fourier transform")
struct FourierTransformTests {
    private func values(_ count: Int, _ seed: UInt64) -> [Double] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(Int64(bitPattern: state)) / 0x1p63
        }
    }

    @Test("has the sums of its definition, in bit-reversed order", arguments: [2, 4, 64, 256])
    func definition(count: Int) {
        var (real, imaginary) = (values(count, 1), values(count, 2))
        let (x, y) = (real, imaginary)
        FourierTransform(count: count).forward(&real, &imaginary)
        let bits = count.trailingZeroBitCount
        for place in 0..<count {
            var frequency = 0
            for bit in 0..<bits where place >> bit & 1 == 1 { frequency |= 1 << (bits - 1 - bit) }
            var sum = (0.0, 0.0)
            for index in 0..<count {
                let angle = -2 * Double.pi * Double(index * frequency % count) / Double(count)
                sum.0 += x[index] * cos(angle) - y[index] * sin(angle)
                sum.1 += x[index] * sin(angle) + y[index] * cos(angle)
            }
            #expect(abs(real[place] - sum.0) < 1e-12 && abs(imaginary[place] - sum.1) < 1e-12)
        }
    }

    @Test("is undone by its inverse, with less error than it says", arguments: [64, 4096, 1 << 16])
    func inverse(count: Int) {
        let transform = FourierTransform(count: count)
        var (real, imaginary) = (values(count, 3), values(count, 4))
        let (x, y) = (real, imaginary)
        transform.forward(&real, &imaginary)
        transform.inverse(&real, &imaginary)
        var (error, norm) = (0.0, 0.0)
        for index in 0..<count {
            let (dr, di) = (
                real[index] / Double(count) - x[index], imaginary[index] / Double(count) - y[index]
            )
            error += dr * dr + di * di
            norm += x[index] * x[index] + y[index] * y[index]
        }
        #expect((error / norm).squareRoot() < 2 * transform.relativeError)
        #expect(transform.relativeError < 2e-14)
    }
}
