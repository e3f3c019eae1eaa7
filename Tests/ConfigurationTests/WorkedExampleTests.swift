import Configuration
import Federation
import Testing

@Suite("The worked example of Configuration")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let text = "[plan]\nname = \"fashion\"\ntitel = \"Clothing\"\n"
        var refusal: Fault?
        do throws(Fault) {
            _ = try PlanFile.parse(Array(text.utf8), file: "fashion.toml")
        } catch {
            refusal = error  // fashion.toml, line 3: did you mean 'title'?
        }

        #expect(refusal?.description.contains("titel") == true)
        #expect(refusal?.description.contains("'title'") == true)
    }
}
