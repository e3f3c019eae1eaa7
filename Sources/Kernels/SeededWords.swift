import CKernels

/// The generator of simulations, several numbers at a time.
package enum SeededWords {
    /// Fills `bytes`, whose count is a multiple of 8, with the numbers that SplitMix64 gives after
    /// `state`.
    package static func fill(_ bytes: UnsafeMutableRawBufferPointer, after state: UInt64) {
        fill(bytes, after: state, CPU.preferred)
    }

    /// As above with the instruction set of that name.
    ///
    /// - Returns: false, and nothing is filled, when this processor has none.
    package static func fill(
        _ bytes: UnsafeMutableRawBufferPointer, after state: UInt64, instructionSet name: String
    ) -> Bool {
        guard let instructionSet = CPU.instructionSet(named: name) else { return false }
        fill(bytes, after: state, instructionSet)
        return true
    }

    private static func fill(
        _ bytes: UnsafeMutableRawBufferPointer, after state: UInt64, _ instructionSet: ck_isa
    ) {
        precondition(bytes.count % 8 == 0)
        guard let start = bytes.baseAddress else { return }
        ck_splitmix(instructionSet, state, bytes.count / 8, start)
    }
}
