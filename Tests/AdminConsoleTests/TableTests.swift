import AdminConsole
import Testing

@Suite("Tables")
struct TableTests {
    private var table: Table {
        var table = Table([("NAME", .left), ("SIZE", .right), ("TEXT", .left)])
        table.add(["a", "1", "short"])
        table.add(["longer", "1000", "a text that is rather long"])
        return table
    }

    @Test("columns are as wide as their widest cell and lines end without spaces")
    func aligned() {
        #expect(
            table.text(width: nil) == """
                NAME    SIZE  TEXT
                a          1  short
                longer  1000  a text that is rather long

                """)
    }

    @Test("on a narrow terminal the widest text is cut with an ellipsis")
    func narrow() {
        #expect(
            table.text(width: 28) == """
                NAME    SIZE  TEXT
                a          1  short
                longer  1000  a text that i…

                """)
    }

    @Test("numbers are never cut, even when the line cannot fit")
    func tooNarrow() {
        let lines = table.text(width: 5).split(separator: "\n")
        #expect(lines[2] == "longer  1000  a text …")
    }

    @Test("control characters from elsewhere do not reach the terminal")
    func control() {
        var table = Table([("NAME", .left)])
        table.add(["a\u{1B}[2Jb\nc"])
        #expect(table.text(width: nil) == "NAME\na?[2Jb?c\n")
        #expect(keyValues([("k", "v\u{7}")]) == "k  v?\n")
    }
}
