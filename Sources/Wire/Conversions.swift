package import Federation

extension Failure {
    /// The fault as it may be sent: text above the limit is cut, NUL characters become spaces.
    ///
    /// - Parameter closing: whether the sender closes the connection after this message.
    package init(_ fault: Fault, closing: Bool = false) {
        self.init(
            code: fault.code.rawValue, message: sendable(fault.message),
            remedy: sendable(fault.remedy),
            closing: closing)
    }
}

/// `text` without NUL characters, cut to the limit of a string.
private func sendable(_ text: String) -> String {
    let bytes = text.utf8.map { $0 == 0 ? UInt8(ascii: " ") : $0 }
    guard bytes.count > WireLimits.textBytes else { return String(decoding: bytes, as: UTF8.self) }
    // A character that is cut becomes U+FFFD, which has three bytes.
    return String(decoding: bytes.prefix(WireLimits.textBytes - 3), as: UTF8.self)
}

extension Fault {
    /// The peer's fault. A code from a newer version becomes `unavailable`, after which a caller
    /// tries again later.
    package init(_ failure: Failure) {
        self.init(
            Code(rawValue: failure.code) ?? .unavailable, failure.message, remedy: failure.remedy)
    }
}

extension LatticeSpec {
    /// - Parameter id: SHA-256 of `lattice.canonicalBytes`.
    package init(_ lattice: Lattice, id: Digest) {
        self.init(
            id: id.bytes, parameters: UInt64(lattice.parameters),
            clippingNorm: lattice.clippingNorm, step: lattice.step, kappa: lattice.kappa,
            rotationSeed: lattice.rotationSeed, elementBits: UInt32(lattice.elementBits),
            modulus: lattice.modulus)
    }
}

extension Lattice {
    /// The lattice that `spec` describes; the caller compares `spec.id` with the digest of its
    /// `canonicalBytes`.
    ///
    /// - Throws: `Fault.invalid` when a field is out of its range.
    package init(_ spec: LatticeSpec) throws(Fault) {
        func require(_ condition: Bool, _ what: String) throws(Fault) {
            guard condition else { throw Fault(.invalid, "the round's lattice has \(what)") }
        }
        let limit = Plan.maximumParameters
        try require(
            spec.parameters >= 1 && spec.parameters <= UInt64(limit),
            "\(spec.parameters) parameters, 1 to \(limit) are allowed")
        for (name, value) in [
            ("clipping norm", spec.clippingNorm), ("step", spec.step), ("kappa", spec.kappa),
        ] {
            try require(
                value.isFinite && value > 0, "a \(name) of \(value), it must be above zero")
        }
        try require(
            Lattice.elementWidths.contains(Int(spec.elementBits)),
            "elements of \(spec.elementBits) bits")
        self.init(
            parameters: Int(spec.parameters), clippingNorm: spec.clippingNorm, step: spec.step,
            kappa: spec.kappa, rotationSeed: spec.rotationSeed, elementBits: Int(spec.elementBits),
            modulus: spec.modulus)
    }
}

extension SubmitStatus {
    package init(_ verdict: SubmitVerdict) {
        switch verdict {
        case .wanted(let offset): self.init(verdict: .wanted, offset: offset)
        case .accepted: self.init(verdict: .accepted)
        case .duplicate: self.init(verdict: .duplicate)
        case .gone: self.init(verdict: .gone)
        case .rejected(let why): self.init(verdict: .rejected, reason: why.rawValue)
        case .later(let seconds):
            self.init(verdict: .later, retrySeconds: UInt32(clamping: Int(seconds.rounded(.up))))
        }
    }
}

extension SubmitVerdict {
    /// A reason for rejection from a newer version becomes `malformed`: the update is not counted
    /// either way.
    ///
    /// - Throws: `Fault.invalid` when the verdict is unspecified.
    package init(_ status: SubmitStatus) throws(Fault) {
        switch status.verdict {
        case .wanted: self = .wanted(offset: status.offset)
        case .accepted: self = .accepted
        case .duplicate: self = .duplicate
        case .gone: self = .gone
        case .rejected: self = .rejected(UpdateRejection(rawValue: status.reason) ?? .malformed)
        case .later: self = .later(seconds: Double(status.retrySeconds))
        case .unspecified: throw Fault(.invalid, "SubmitStatus.verdict is not set")
        }
    }
}
