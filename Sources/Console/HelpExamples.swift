/// The end of a command's discussion: commands to start from, one a line.
///
/// - Parameters:
///   - program: the program's name, which begins each line.
///   - lines: what follows it. A test sees that each is a command that there is.
package func helpExamples(_ program: String, _ lines: [String]) -> String {
    (lines.count == 1 ? "Example:" : "Examples:")
        + lines.map { "\n  \(program) \($0)" }.joined()
}
