import CKernels

/// Random operands of a product a [rows, width] x w [channels, width]^T, in memory of their own.
final class Operands {
    let rows, channels, width, stride: Int
    let a, packed, q: UnsafeMutablePointer<Int8>
    let products, bias: UnsafeMutablePointer<Int32>
    let multipliers: UnsafeMutablePointer<Float>

    /// Multiplications and additions of the product.
    var operations: Double { 2 * Double(rows * channels * width) }

    init(rows: Int, channels: Int, width: Int) {
        let alignment = CK_ROW_ALIGNMENT
        stride = (width + alignment - 1) / alignment * alignment
        (self.rows, self.channels, self.width) = (rows, channels, width)
        a = Self.bytes(rows * stride)
        let weights = Self.bytes(channels * width)
        packed = Self.zeros(ck_packed_size(channels, width))
        ck_pack(weights, channels, width, packed)
        q = Self.zeros(rows * channels)
        products = Self.zeros(rows * channels)
        bias = Self.zeros(channels)
        multipliers = Self.zeros(channels)
        for channel in 0..<channels { multipliers[channel] = 1e-4 }
        weights.deallocate()
    }

    deinit {
        for bytes in [a, packed, q] { bytes.deallocate() }
        for integers in [products, bias] { integers.deallocate() }
        multipliers.deallocate()
    }

    func multiply(_ isa: ck_isa) {
        ck_int8_gemm(isa, a, rows, stride, packed, channels, width, products)
    }

    /// Product, bias, requantising and clamp.
    func layer(_ isa: ck_isa) {
        ck_int8_layer(
            isa, a, rows, stride, packed, channels, width, bias, multipliers, 0, q, channels, nil)
    }

    private static func zeros<Element: Numeric>(_ count: Int) -> UnsafeMutablePointer<Element> {
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Element>.stride, alignment: 64)
        let pointer = raw.bindMemory(to: Element.self, capacity: count)
        pointer.initialize(repeating: 0, count: count)
        return pointer
    }

    private static func bytes(_ count: Int) -> UnsafeMutablePointer<Int8> {
        let pointer: UnsafeMutablePointer<Int8> = zeros(count)
        for index in 0..<count { pointer[index] = Int8.random(in: -127...127) }
        return pointer
    }
}
