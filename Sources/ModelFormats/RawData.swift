/// A number with a little-endian form.
protocol RawElement: BitwiseCopyable {
    associatedtype Bits: FixedWidthInteger & BitwiseCopyable

    /// The value as the integer whose little-endian bytes are stored.
    var bits: Bits { get }

    init(bits: Bits)
}

/// A number that a tensor of an ONNX file can hold.
protocol TensorElement: RawElement {
    static var elementType: OnnxFile.ElementType { get }
}

extension RawElement where Self: FixedWidthInteger {
    var bits: Self { self }

    init(bits: Self) { self = bits }
}

extension Int8: TensorElement {
    static var elementType: OnnxFile.ElementType { .int8 }
}

extension UInt16: RawElement {}

extension Int32: TensorElement {
    static var elementType: OnnxFile.ElementType { .int32 }
}

extension Int64: TensorElement {
    static var elementType: OnnxFile.ElementType { .int64 }
}

extension Float: TensorElement {
    static var elementType: OnnxFile.ElementType { .float32 }
    var bits: UInt32 { bitPattern }

    init(bits: UInt32) { self.init(bitPattern: bits) }
}

/// `values` as little-endian bytes.
func rawBytes<Value: RawElement>(_ values: [Value]) -> [UInt8] {
    // A wide model is nearly all bytes.
    if MemoryLayout<Value>.size == 1 { return values.withUnsafeBytes(Array.init) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * MemoryLayout<Value>.size)
    for value in values {
        withUnsafeBytes(of: value.bits.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
}

/// The values whose little-endian bytes are `bytes`, a whole number of them.
func rawValues<Value: RawElement>(_ bytes: [UInt8]) -> [Value] {
    let size = MemoryLayout<Value.Bits>.size
    return bytes.withUnsafeBytes { buffer in
        (0..<buffer.count / size).map { index in
            let bits = buffer.loadUnaligned(fromByteOffset: index * size, as: Value.Bits.self)
            return Value(bits: Value.Bits(littleEndian: bits))
        }
    }
}
