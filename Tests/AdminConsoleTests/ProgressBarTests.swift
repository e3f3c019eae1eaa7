import AdminConsole
import Testing

@Suite("The progress bar")
struct ProgressBarTests {
    private let clear = "\r\u{1B}[K"

    @Test("in a file there is a line a stage, once, and nothing to clear")
    func file() {
        var bar = ProgressBar(width: nil)
        #expect(bar.update("training", 0) == "training\n")
        #expect(bar.update("training", 0.5) == "")
        #expect(bar.update("distilling", 0) == "distilling\n")
        #expect(bar.clear() == "")
    }

    @Test("on a terminal a line is drawn over, only when it looks otherwise")
    func terminal() {
        var bar = ProgressBar(width: 80)
        #expect(bar.clear() == "")
        #expect(bar.update("training", 0) == clear + "training [........................] 0 %")
        #expect(bar.update("training", 0.001) == "")
        #expect(bar.update("training", 0.5) == clear + "training [############............] 50 %")
        #expect(bar.update("training", 0.999) == clear + "training [#######################.] 99 %")
        #expect(bar.update("training", 2) == clear + "training [########################] 100 %")
        #expect(bar.clear() == clear)
        #expect(bar.clear() == "")
        #expect(bar.update("training", 1) == clear + "training [########################] 100 %")
    }

    @Test("a narrow terminal gets a shorter line, which must not wrap")
    func narrow() {
        var bar = ProgressBar(width: 20)
        let line = bar.update("distilling the first student", 0.5).dropFirst(clear.count)
        #expect(line.count == 19)
    }
}
