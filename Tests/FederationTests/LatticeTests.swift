import Federation
import Foundation
import Testing

@Suite("The lattice's shape")
struct LatticeTests {
    private func lattice(_ parameters: Int) -> Lattice {
        Lattice(parameters: parameters, clippingNorm: 1, step: 0.5, kappa: 6, rotationSeed: 1)
    }

    @Test("the block is 2^round(log2 sqrt d)")
    func blockSize() {
        for parameters in Array(1...5000) + [101_773, 300_000, 1 << 20, 3_000_000, 10_000_000] {
            let logarithm = log2(Double(parameters).squareRoot())
            // Halves, d = 2^(2k + 1), go up; elsewhere the logarithm is far enough from a half.
            let block = 1 << Int((logarithm + 1e-12).rounded())
            #expect(lattice(parameters).blockSize == block, "d = \(parameters)")
        }
    }

    @Test("padding fills the last block and costs less than 1.3 % from 10,000 parameters on")
    func padding() {
        var worst = 0.0
        for parameters in 1...150_000 {
            let lattice = lattice(parameters)
            let padding = lattice.dimension - parameters
            let fits =
                lattice.dimension.isMultiple(of: lattice.blockSize)
                && (0..<lattice.blockSize).contains(padding)
            if !fits { Issue.record("d = \(parameters): D = \(lattice.dimension)") }
            if parameters >= 10_000 { worst = max(worst, Double(padding) / Double(parameters)) }
        }
        #expect(worst < 0.013)
        #expect(worst > 0.012)
    }

    @Test("the demo's student of 101,773 parameters takes 101,888 bytes")
    func demo() {
        #expect(lattice(101_773).blockSize == 256)
        #expect(lattice(101_773).updateBytes == 101_888)
    }

    @Test("the canonical bytes hold every field in order, big-endian")
    func canonicalBytes() {
        let lattice = Lattice(
            parameters: 258, clippingNorm: 1, step: 0.5, kappa: 6,
            rotationSeed: 0x0123_4567_89AB_CDEF, elementBits: 16, modulus: 255)
        let expected =
            "0000000000000102" + "000000003f800000" + "000000003f000000" + "0000000040c00000"
            + "0123456789abcdef" + "0000000000000010" + "00000000000000ff"
        let bytes = lattice.canonicalBytes
        #expect(bytes.starts(with: Array("tributary lattice v1\n".utf8)))
        #expect(hexadecimal(bytes.dropFirst(21)) == expected)
    }

    @Test("any changed field changes the canonical bytes")
    func canonicalBytesDiffer() {
        let changes: [(inout Lattice) -> Void] = [
            { $0.parameters += 1 }, { $0.clippingNorm = 2 }, { $0.step = 1 }, { $0.kappa = 5 },
            { $0.rotationSeed = 2 }, { $0.elementBits = 16 }, { $0.modulus = 1 },
        ]
        var seen: Set<[UInt8]> = [lattice(10).canonicalBytes]
        for change in changes {
            var changed = lattice(10)
            change(&changed)
            seen.insert(changed.canonicalBytes)
        }
        #expect(seen.count == changes.count + 1)
    }
}
