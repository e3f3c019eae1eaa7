/// How far a command is that keeps its terminal waiting.
///
/// On a terminal a live line with a bar is drawn over again and again; elsewhere each stage is a line
/// of its own, once.
package struct ProgressBar {
    /// Columns of the terminal; nil when the text goes elsewhere.
    private let width: Int?
    private var stage = ""
    /// The live line as it stands; empty when there is none.
    private var shown = ""

    private static let cells = 24

    /// - Parameter width: columns of the terminal; nil when the text goes to a file or a pipe.
    package init(width: Int?) { self.width = width }

    /// What to write when `done` in [0, 1] of `stage` is done; nothing while that looks as before.
    ///
    /// - Parameter detail: what a live line says after its bar.
    package mutating func update(
        _ stage: String, _ done: Double, detail: String = ""
    ) -> String {
        guard let width else {
            defer { self.stage = stage }
            return stage == self.stage ? "" : "\(stage)\n"
        }
        let bar = Self.line(stage, min(max(done, 0), 1))
        let line = cut(detail.isEmpty ? bar : "\(bar), \(detail)", to: width - 1)
        guard line != shown else { return "" }
        shown = line
        return clearLine + line
    }

    /// What to write before other text, or at the end, so that the live line leaves no trace.
    package mutating func clear() -> String {
        guard !shown.isEmpty else { return "" }
        shown = ""
        return clearLine
    }

    private static func line(_ stage: String, _ done: Double) -> String {
        // The last cell is for what is all done.
        let filled = Int(done * Double(cells))
        let bar =
            String(repeating: "#", count: filled) + String(repeating: ".", count: cells - filled)
        return "\(stage) [\(bar)] \(Int(done * 100)) %"
    }
}
