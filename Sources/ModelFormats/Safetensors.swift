package import Federation

/// The named float tensors of a safetensors file, as
/// https://huggingface.co/docs/safetensors describes it.
///
///     u64 length of the header | header, JSON | the tensors' data, little-endian, without holes
///
/// A teacher trained elsewhere comes in this form, and the master weights leave in it.
package struct Safetensors: Sendable, Equatable {
    /// A tensor of any rank; no dimensions make a scalar.
    package struct Tensor: Sendable, Equatable {
        package var shape: [Int]
        /// Row-major, as many as the product of `shape`.
        package var values: [Float]

        package init(shape: [Int], values: [Float]) {
            self.shape = shape
            self.values = values
        }
    }

    package var tensors: [String: Tensor]

    package init(tensors: [String: Tensor]) { self.tensors = tensors }

    /// Reads a file with tensors of type F32, F16, BF16 or I8; the values are exact.
    ///
    /// The file's own metadata is checked and not kept. Memory is at most a few times the file's
    /// size, whatever its header says.
    ///
    /// - Throws: `Fault.invalid` naming the tensor and what is wrong with it, or the byte of the
    ///   header that does not fit.
    package init(decoding bytes: [UInt8]) throws(Fault) {
        let (entries, dataStart) = try SafetensorsHeader.entries(of: bytes)
        try Safetensors.checkLayout(entries, dataBytes: bytes.count - dataStart)
        tensors = [:]
        for entry in entries {
            let data = bytes[dataStart + entry.start..<dataStart + entry.end]
            tensors[entry.name] = Tensor(
                shape: entry.shape, values: entry.type.values(of: Array(data)))
        }
    }

    /// The bytes of a file with these tensors as F32, in the order of their names; equal tensors
    /// have equal bytes.
    ///
    /// - Throws: `Fault.invalid` naming a tensor whose values do not fit its shape or whose name
    ///   the format keeps for itself.
    package func encoded() throws(Fault) -> [UInt8] {
        let sorted = tensors.sorted { $0.key < $1.key }
        var start = 0
        var entries: [SafetensorsHeader.Entry] = []
        for (name, tensor) in sorted {
            let end = start + tensor.values.count * MemoryLayout<Float>.size
            entries.append(
                SafetensorsHeader.Entry(
                    name: name, type: .float32, shape: tensor.shape, start: start, end: end))
            start = end
        }
        try Safetensors.checkLayout(entries, dataBytes: start)
        var bytes = try SafetensorsHeader.bytes(entries)
        bytes.reserveCapacity(bytes.count + start)
        for (_, tensor) in sorted { bytes += rawBytes(tensor.values) }
        return bytes
    }

    /// Checks that every tensor's bytes are those of its shape, and that together they are the
    /// whole of the data, each byte once.
    private static func checkLayout(
        _ entries: [SafetensorsHeader.Entry], dataBytes: Int
    ) throws(Fault) {
        var next = 0
        for entry in entries.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
            guard entry.start <= entry.end, entry.end <= dataBytes else {
                throw SafetensorsHeader.fault(
                    entry.name,
                    "has the bytes \(entry.start) to \(entry.end) of \(dataBytes) bytes of data")
            }
            guard entry.byteCount == entry.end - entry.start else {
                throw SafetensorsHeader.fault(
                    entry.name,
                    "of shape \(entry.shape) and type \(entry.type.rawValue) has"
                        + " \(entry.end - entry.start) bytes of data")
            }
            guard entry.start == next else {
                throw SafetensorsHeader.fault(
                    entry.name,
                    entry.start < next
                        ? "overlaps another: it starts at byte \(entry.start), not \(next)"
                        : "leaves the bytes \(next) to \(entry.start) to nobody")
            }
            next = entry.end
        }
        guard next == dataBytes else {
            throw Fault(
                .invalid, "\(dataBytes - next) bytes after the last tensor belong to nobody",
                remedy: SafetensorsHeader.remedy)
        }
    }
}

extension SafetensorsHeader.ElementType {
    /// The values that `data`, a whole number of elements, holds.
    fileprivate func values(of data: [UInt8]) -> [Float] {
        switch self {
        case .float32: rawValues(data)
        case .float16: rawValues(data).map(float(half:))
        case .brainFloat16:
            rawValues(data).map { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .int8: data.map { Float(Int8(bitPattern: $0)) }
        }
    }
}

/// The value of an IEEE 754 binary16, exactly.
private func float(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7fff)
    switch magnitude >> 10 {
    case 0:
        // A subnormal: a multiple of 2^-24.
        let value = Float(magnitude) * Float(sign: .plus, exponent: -24, significand: 1)
        return sign == 0 ? value : -value
    case 31:
        return Float(bitPattern: sign | 0x7f80_0000 | magnitude << 13)
    default:
        // The exponent's bias is 127 in place of 15.
        return Float(bitPattern: sign | (magnitude << 13 + 112 << 23))
    }
}
