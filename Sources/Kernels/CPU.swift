import CKernels

/// What this machine's processor can do, and what the kernels use of it.
package enum CPU {
    /// The instruction set of the integer kernels: `avx512vnni`, `avxvnni`, `avx2`, `i8mm`,
    /// `sdot`, `neon` or `scalar`.
    ///
    /// Chosen once: the fastest the processor has, unless the environment variable TRIBUTARY_ISA
    /// names another that it has. Results do not depend on it.
    package static var instructionSet: String { String(cString: ck_isa_name(preferred)) }

    /// Every instruction set of the integer kernels that this processor has, separated by blanks.
    package static var features: String { availableInstructionSets.joined(separator: " ") }

    /// The names in `features`, slowest first.
    package static var availableInstructionSets: [String] {
        available.map { String(cString: ck_isa_name($0)) }
    }

    static let preferred = ck_isa_preferred()

    static var available: [ck_isa] {
        (0..<CK_ISA_COUNT.rawValue).map { ck_isa(rawValue: $0) }.filter { ck_isa_available($0) }
    }

    /// The available instruction set of this name; nil when the processor lacks it or there is
    /// none.
    static func instructionSet(named name: String) -> ck_isa? {
        available.first { String(cString: ck_isa_name($0)) == name }
    }
}
