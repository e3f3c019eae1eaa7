import Federation
import Testing

@Suite("The worked example of Federation")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let lattice = Lattice(
            parameters: 101_773, clippingNorm: 1, step: 0.001, kappa: 6, rotationSeed: 7)
        let bytes = lattice.updateBytes  // 101,888: a byte a parameter, and padding to whole blocks

        var refusal: Fault?
        do throws(Fault) {
            _ = try EnrolmentToken(parsing: "tributary1;cut off")
        } catch {
            refusal = error  // a code, a message, and in `remedy` what to do
        }

        #expect(bytes == 101_888)
        #expect(refusal?.remedy.isEmpty == false)
    }
}
