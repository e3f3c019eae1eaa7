import Federation
import Testing
import Wire

@Suite struct ConversionTests {
    @Test("a fault comes back from the wire as it was", arguments: Fault.Code.allCases)
    func faults(code: Fault.Code) {
        let fault = Fault(code, "what happened", remedy: "what to do")
        #expect(Fault(Failure(fault)) == fault)
        #expect(Failure(fault).closing == false)
        #expect(Failure(fault, closing: true).closing)
    }

    @Test("a fault that is too long or has a NUL character can still be sent")
    func unsendableFault() throws {
        let fault = Fault(.invalid, String(repeating: "ü", count: 5000), remedy: "a\0b")
        let failure = Failure(fault)
        #expect(failure.message.utf8.count <= WireLimits.textBytes)
        #expect(failure.message.hasPrefix(String(repeating: "ü", count: 2000)))
        #expect(failure.remedy == "a b")
        let message = Message.failure(failure)
        #expect(try Message.decode(payload: message.encoded().dropFirst(4)) == message)
    }

    @Test("a failure with a code from a newer version is one to try again after")
    func unknownCode() {
        #expect(
            Fault(Failure(code: "tooWet", message: "m", remedy: "r"))
                == Fault(.unavailable, "m", remedy: "r"))
    }

    @Test("a lattice comes back from the wire as it was")
    func lattice() throws {
        let lattice = Lattice(
            parameters: 101_774, clippingNorm: 1.5, step: 0.0625, kappa: 6,
            rotationSeed: .max - 1, elementBits: 16, modulus: 1 << 33)
        let id = try #require(Digest(bytes: Samples.digest))
        let spec = LatticeSpec(lattice, id: id)
        #expect(spec.id == id.bytes)
        #expect(try Lattice(spec) == lattice)
    }

    @Test(
        "a lattice has at least one parameter and at most as many as a plan may have",
        arguments: [0, UInt64(Plan.maximumParameters) + 1, .max])
    func parameterCounts(count: UInt64) {
        var spec = Samples.lattice
        spec.parameters = count
        let what = "the round's lattice has \(count) parameters, 1 to 67108864 are allowed"
        #expect(throws: Fault(.invalid, what)) { try Lattice(spec) }
    }

    @Test("a lattice's norm, step and kappa must be finite and above zero")
    func realNumbers() {
        let paths: [(WritableKeyPath<LatticeSpec, Float>, String)] = [
            (\.clippingNorm, "clipping norm"), (\.step, "step"), (\.kappa, "kappa"),
        ]
        for (path, name) in paths {
            for value in [0, -1, Float.nan, .infinity] {
                var spec = Samples.lattice
                spec[keyPath: path] = value
                let what = "the round's lattice has a \(name) of \(value), it must be above zero"
                #expect(throws: Fault(.invalid, what)) { try Lattice(spec) }
            }
        }
    }

    @Test("a lattice's elements have 8, 16, 32 or 64 bits", arguments: [0, 7, 12, 128] as [UInt32])
    func elementBits(bits: UInt32) {
        var spec = Samples.lattice
        spec.elementBits = bits
        #expect(throws: Fault(.invalid, "the round's lattice has elements of \(bits) bits")) {
            try Lattice(spec)
        }
    }

    @Test("every verdict comes back from the wire as it was")
    func verdicts() throws {
        let verdicts: [SubmitVerdict] =
            [.wanted(offset: 262_144), .accepted, .duplicate, .gone]
            + UpdateRejection.allCases.map(SubmitVerdict.rejected)
        for verdict in verdicts {
            #expect(try SubmitVerdict(SubmitStatus(verdict)) == verdict)
        }
    }

    @Test("an unknown reason still rejects, an unset verdict is refused")
    func strangeVerdicts() throws {
        let status = SubmitStatus(verdict: .rejected, reason: "tooWet")
        #expect(try SubmitVerdict(status) == .rejected(.malformed))
        #expect(throws: Fault(.invalid, "SubmitStatus.verdict is not set")) {
            try SubmitVerdict(SubmitStatus())
        }
    }
}
