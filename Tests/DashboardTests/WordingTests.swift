import Dashboard
import Testing

@Suite("How numbers, times and cards are written")
struct WordingTests {
    @Test("numbers have commas")
    func numbers() {
        #expect(
            [0, 12, 123, 1234, 1_234_567].map { grouped($0) }
                == ["0", "12", "123", "1,234", "1,234,567"])
        #expect(grouped(-1234) == "-1,234")
    }

    @Test("an epsilon is never written smaller than it is")
    func epsilons() {
        #expect(epsilonText(0) == "0")
        #expect(epsilonText(0.12345) == "0.124")
        #expect(epsilonText(3.141) == "3.15")
        #expect(epsilonText(12.01) == "12.1")
        #expect(epsilonText(746.79) == "747")
        #expect(epsilonText(1234.1) == "1,235")
        #expect(epsilonText(.infinity) == "infinite")
    }

    @Test("a delta is a power of ten")
    func deltas() {
        #expect(deltaText(1e-5) == "10⁻⁵")
        #expect(deltaText(2.5e-12) == "2.5·10⁻¹²")
    }

    @Test("bytes and durations have the unit they are read in")
    func units() {
        #expect(bytesText(1) == "1 byte")
        #expect(bytesText(1023) == "1,023 bytes")
        #expect(bytesText(1536) == "1.5 KiB")
        #expect(bytesText(3 << 30) == "3.0 GiB")
        #expect(
            [0.04, 9.96, 59.4, 75, 3600, 7500, 172_800].map(durationText)
                == ["0.04 s", "10.0 s", "59 s", "1 min 15 s", "1 h", "2 h 5 min", "2 days"])
        #expect(durationText(-1) == "–" && durationText(.nan) == "–")
    }

    @Test("times are told from now")
    func moments() {
        #expect(ago(0, now: 1000) == "never")
        #expect(ago(1000, now: 1000) == "just now")
        #expect(ago(1001, now: 1000) == "just now")
        #expect(ago(1000, now: 1090) == "90 s ago")
        #expect(ago(1000, now: 1000 + 3600) == "60 min ago")
        #expect(ago(1000, now: 1000 + 86_400 * 3) == "3 days ago")
    }

    @Test("a model card becomes HTML, and what a plan put into it stays text")
    func cards() {
        let html = CardText(
            """
            # tiny, version 1

            Words with \\<b\\> and `code <i>`
            on two lines

            | A | B |
            | --- | --- |
            | `x` | 1 \\| 2 |

            - one
            - two

            ```
            tributary-verify <model>
            ```
            <script>alert(1)</script>
            """
        ).html
        #expect(html.contains("<h2>tiny, version 1</h2>"))
        #expect(html.contains("Words with &lt;b&gt; and <code>code &lt;i&gt;</code>\non two lines"))
        #expect(html.contains("<th scope=\"col\">A</th>"))
        #expect(html.contains("<th scope=\"row\"><code>x</code></th><td>1 | 2</td>"))
        #expect(html.contains("<ul><li>one</li><li>two</li></ul>"))
        #expect(html.contains("<pre class=\"wrap\">tributary-verify &lt;model&gt;</pre>"))
        #expect(!html.contains("<script>"))
    }

    @Test("an axis has round numbers that hold what is drawn")
    func axes() {
        let accuracy = Axis(holding: [85.84, 88.61], count: 4)
        #expect(accuracy.ticks == [85, 86, 87, 88, 89])
        let rounds = Axis(holding: [0, 3], count: 8, isWhole: true)
        #expect(rounds.ticks == [0, 1, 2, 3])
        let flat = Axis(holding: [5, 5], count: 4)
        #expect(flat.low <= 5 && flat.high > 5 && flat.ticks.count > 1)
        let nothing = Axis(holding: [.nan], count: 4)
        #expect(nothing.high > nothing.low)
    }

    @Test("a curve in a cell says what it shows, and one point is none")
    func sparklines() {
        #expect(sparkline([0.5], saying: "x") == "")
        let svg = sparkline([1, 2, .nan, 3], saying: "from 1 to \"3\"")
        #expect(svg.contains("aria-label=\"from 1 to &quot;3&quot;\""))
        #expect(svg.contains("points=\"2,22 60,12 118,2\""))
    }
}
