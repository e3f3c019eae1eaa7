import Glibc

/// The discrete Fourier transform of a power of two complex numbers, for products of spectra.
///
/// Spectra are left in bit-reversed order, which an element-by-element product does not mind, so
/// nothing is ever permuted. Twiddle factors come straight from sine and cosine; with them the
/// error in the Euclidean norm is at most `relativeError` (Higham, Accuracy and Stability of
/// Numerical Algorithms, theorem 24.2).
package struct FourierTransform {
    /// Blocks that fit the first caches are transformed stage by stage, larger ones half by half.
    private static let cachedCount = 1 << 11

    package let count: Int
    /// Those of the stage that pairs elements `half` apart are at half ..< 2 * half.
    private let cosines: [Double]
    private let sines: [Double]

    /// `count` is a power of two, at least 2.
    package init(count: Int) {
        precondition(count >= 2 && count & (count - 1) == 0, "the count is no power of two")
        self.count = count
        var cosines = [Double](repeating: 1, count: count)
        var sines = [Double](repeating: 0, count: count)
        let largest = count / 2
        for index in 0..<largest {
            let angle = Double.pi * Double(index) / Double(largest)
            (cosines[largest + index], sines[largest + index]) = (cos(angle), -sin(angle))
        }
        for index in stride(from: largest - 1, to: 0, by: -1) {
            let half = 1 << (Int.bitWidth - 1 - index.leadingZeroBitCount)
            let source = 2 * half + 2 * (index - half)
            (cosines[index], sines[index]) = (cosines[source], sines[source])
        }
        (self.cosines, self.sines) = (cosines, sines)
    }

    /// An upper bound of |error| / |result|, in the Euclidean norm, of either transform.
    package var relativeError: Double {
        8 * Double(count.trailingZeroBitCount) * Double.ulpOfOne / 2
    }

    /// Natural order to the bit-reversed spectrum.
    package func forward(_ real: inout [Double], _ imaginary: inout [Double]) {
        withPointers(&real, &imaginary) { forward($0, offset: 0, count: count) }
    }

    /// A bit-reversed spectrum to `count` times the values, in natural order.
    package func inverse(_ real: inout [Double], _ imaginary: inout [Double]) {
        withPointers(&real, &imaginary) { inverse($0, offset: 0, count: count) }
    }

    private struct Pointers {
        let real: UnsafeMutablePointer<Double>
        let imaginary: UnsafeMutablePointer<Double>
        let cosines: UnsafePointer<Double>
        let sines: UnsafePointer<Double>
    }

    private func withPointers(
        _ real: inout [Double], _ imaginary: inout [Double], _ body: (Pointers) -> Void
    ) {
        precondition(real.count == count && imaginary.count == count)
        real.withUnsafeMutableBufferPointer { real in
            imaginary.withUnsafeMutableBufferPointer { imaginary in
                cosines.withUnsafeBufferPointer { cosines in
                    sines.withUnsafeBufferPointer { sines in
                        guard let real = real.baseAddress, let imaginary = imaginary.baseAddress,
                            let cosines = cosines.baseAddress, let sines = sines.baseAddress
                        else { return }
                        body(
                            Pointers(
                                real: real, imaginary: imaginary, cosines: cosines, sines: sines))
                    }
                }
            }
        }
    }

    private func forward(_ values: Pointers, offset: Int, count: Int) {
        guard count > Self.cachedCount else {
            var half = count / 2
            while half > 0 {
                for start in stride(from: offset, to: offset + count, by: 2 * half) {
                    Self.decimate(values, start, half)
                }
                half /= 2
            }
            return
        }
        Self.decimate(values, offset, count / 2)
        forward(values, offset: offset, count: count / 2)
        forward(values, offset: offset + count / 2, count: count / 2)
    }

    private func inverse(_ values: Pointers, offset: Int, count: Int) {
        guard count > Self.cachedCount else {
            var half = 1
            while half < count {
                for start in stride(from: offset, to: offset + count, by: 2 * half) {
                    Self.combine(values, start, half)
                }
                half *= 2
            }
            return
        }
        inverse(values, offset: offset, count: count / 2)
        inverse(values, offset: offset + count / 2, count: count / 2)
        Self.combine(values, offset, count / 2)
    }

    /// (a, b) becomes (a + b, (a - b) w).
    private static func decimate(_ values: Pointers, _ start: Int, _ half: Int) {
        let (real, imaginary) = (values.real + start, values.imaginary + start)
        let (cosines, sines) = (values.cosines + half, values.sines + half)
        for index in 0..<half {
            let (ar, ai) = (real[index], imaginary[index])
            let (br, bi) = (real[half + index], imaginary[half + index])
            let (dr, di) = (ar - br, ai - bi)
            (real[index], imaginary[index]) = (ar + br, ai + bi)
            real[half + index] = dr * cosines[index] - di * sines[index]
            imaginary[half + index] = dr * sines[index] + di * cosines[index]
        }
    }

    /// (a, b) becomes (a + b w*, a - b w*).
    private static func combine(_ values: Pointers, _ start: Int, _ half: Int) {
        let (real, imaginary) = (values.real + start, values.imaginary + start)
        let (cosines, sines) = (values.cosines + half, values.sines + half)
        for index in 0..<half {
            let (ar, ai) = (real[index], imaginary[index])
            let (br, bi) = (real[half + index], imaginary[half + index])
            let turnedReal = br * cosines[index] + bi * sines[index]
            let turnedImaginary = bi * cosines[index] - br * sines[index]
            (real[index], imaginary[index]) = (ar + turnedReal, ai + turnedImaginary)
            real[half + index] = ar - turnedReal
            imaginary[half + index] = ai - turnedImaginary
        }
    }
}
