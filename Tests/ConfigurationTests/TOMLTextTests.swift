import Configuration
import Federation
import Testing

@Suite struct TOMLTextTests {
    @Test("a text that toml++ would overflow the stack on is refused", arguments: ["[", ""])
    func deepKeys(opening: String) {
        let keys = opening + String(repeating: "a.", count: 100_000) + "a"
        let quoted = opening + String(repeating: #"",","#.dropLast() + ".", count: 50_000) + "a"
        let numbers = opening + String(repeating: "1.", count: 100_000) + "1"
        for text in [keys, quoted, numbers] {
            let whole = text + (opening.isEmpty ? " = 1" : "]") + "\n"
            #expect(
                refusal(of: whole)
                    == "tiny.toml:1:1: more than 4096 dots outside numbers; correct the TOML")
        }
    }

    @Test("thousands of decimal numbers are no keys")
    func manyNumbers() throws {
        let offsets = (0..<6000).map { "\($0).25" }.joined(separator: ", ")
        let text = validPlan.replacing("features = 4", with: "features = 6000")
            .replacing("offset = [1, 2.5, 3, 4]", with: "offset = [\(offsets), -1.5, +2.5]")
        #expect(
            refusal(of: text)
                == "tiny.toml:11:10: offset in [data] has 6002 items; "
                + "write one number, or an array of 6000, one a feature")
    }

    @Test("tables that nest deeper than any configuration are refused")
    func deepTables() {
        let text = "[" + Array(repeating: "a", count: 60).joined(separator: ".") + "]\n"
        #expect(
            refusal(of: text) == "tiny.toml:1:1: tables or arrays nest deeper than 32 levels")
    }

    @Test("a fault about a long text or key stays short")
    func longTexts() {
        let long = String(repeating: "x", count: 10_000)
        let cut = String(repeating: "x", count: 80)
        #expect(
            refusal(of: validPlan.replacing("A tiny plan", with: long))
                == #"tiny.toml:3:9: title in [plan] is "\#(cut)..."; "#
                + "write a line of 1 to 200 bytes"
        )
        #expect(
            refusal(of: validPlan.replacing("title", with: long))
                == "tiny.toml:3:1: unknown key '\(cut)' in [plan]; "
                + "known keys: name, title, population")
    }

    @Test("a text that is too long, not UTF-8 or empty is refused")
    func unreadableTexts() throws {
        let long = [UInt8](repeating: UInt8(ascii: "#"), count: 256 << 10 + 1)
        #expect(
            throws: Fault(
                .invalid, "tiny.toml has \(long.count) bytes, at most 262144 are allowed")
        ) { try PlanFile.parse(long, file: "tiny.toml") }
        let fault = #expect(throws: Fault.self) {
            try PlanFile.parse([0x61, 0x20, 0x3d, 0x20, 0x22, 0xff, 0x22], file: "tiny.toml")
        }
        #expect(fault?.message.hasPrefix("tiny.toml:1:") == true)
        #expect(refusal(of: "") == "tiny.toml:1:1: there is no [plan]; write a table [plan]")
    }

    @Test("a plan with random bytes changed parses or is refused with a place, and never crashes")
    func damagedPlans() {
        var random = SeededRandom(seed: 7)
        var accepted = 0
        var refused = 0
        for _ in 0..<3000 {
            var text = Array(validPrivatePlan.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[place] = UInt8.random(in: 0...255, using: &random)
                case 1: text.remove(at: place)
                default: text.insert(UInt8.random(in: 32...126, using: &random), at: place)
                }
            }
            do {
                _ = try PlanFile.parse(text, file: "tiny.toml")
                accepted += 1
            } catch {
                #expect(error.code == .invalid)
                #expect(error.message.hasPrefix("tiny.toml:"))
                refused += 1
            }
        }
        // Both happen: a changed title is as good as before, a changed key is not.
        #expect(accepted > 0 && refused > 1000, "\(accepted) accepted, \(refused) refused")
    }
}
