import CKernels

/// Exact sums of weighted int8 vectors.
package enum Accumulate {
    /// sums[i] += weight * values[i]; the caller keeps |weight| * 128 times the number of vectors
    /// below 2^63.
    package static func add(_ values: [Int8], weight: Int64, into sums: inout [Int64]) {
        values.withUnsafeBufferPointer { add($0, weight: weight, into: &sums) }
    }

    /// sums[i] += weight * values[i]; the caller keeps every product and sum within 64 bits.
    package static func add(
        _ values: UnsafeBufferPointer<Int8>, weight: Int64, into sums: inout [Int64]
    ) {
        precondition(values.count == sums.count)
        ck_accumulate(CPU.preferred, values.baseAddress, values.count, weight, &sums)
    }

    /// The same in sums of 32 bits.
    package static func add(
        _ values: UnsafeBufferPointer<Int8>, weight: Int32, into sums: inout [Int32]
    ) {
        precondition(values.count == sums.count)
        ck_accumulate_32(CPU.preferred, values.baseAddress, values.count, weight, &sums)
    }

    /// The same in sums of 16 bits.
    package static func add(
        _ values: UnsafeBufferPointer<Int8>, weight: Int16, into sums: inout [Int16]
    ) {
        precondition(values.count == sums.count)
        ck_accumulate_16(CPU.preferred, values.baseAddress, values.count, weight, &sums)
    }

    /// The sum of the squares of `values`; nil when one of them is -128.
    package static func squaredNorm(_ values: UnsafeBufferPointer<Int8>) -> Int64? {
        let norm = ck_byte_norm(CPU.preferred, values.baseAddress, values.count)
        return norm < 0 ? nil : norm
    }
}
