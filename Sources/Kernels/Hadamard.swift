import CKernels

/// The fast Walsh-Hadamard transform that spreads an update's energy over all its coordinates.
package enum Hadamard {
    /// Transforms each run of `block` consecutive values in place, without the factor 1 /
    /// sqrt(block).
    ///
    /// Only additions and subtractions in one fixed order, so every CPU gets the same bits. Applied
    /// twice it multiplies by `block`. `block` is a power of two that divides `values.count`.
    package static func transformBlocks(_ values: inout [Float], block: Int) {
        precondition(block > 0 && block & (block - 1) == 0, "the block is not a power of two")
        precondition(values.count.isMultiple(of: block), "the values are not whole blocks")
        ck_hadamard(CPU.preferred, &values, values.count, block)
    }
}
