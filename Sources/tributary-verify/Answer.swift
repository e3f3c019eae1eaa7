import ArgumentParser
import Console
import Federation
import Glibc
import Provenance

/// Tells a report to a person or a machine, and ends with its exit status.
struct Answer {
    /// The exit status when something is not what was signed.
    static let notVerified: Int32 = 1
    /// The exit status when nothing can be said.
    static let couldNotCheck: Int32 = 2

    /// What was checked, as the user named it.
    let subject: String
    let isJSON: Bool
    /// What to say when every check passed.
    let success: String
    /// What to do when one failed.
    let remedy: String

    /// Runs a verification; whatever keeps it from starting is a report too.
    func give(_ verification: () throws(Fault) -> VerificationReport) throws {
        var result = VerificationReport()
        let time = ElapsedTime("checking")
        do throws(Fault) { result = try verification() } catch { result.stop(error) }
        time.end()
        if isJSON {
            say(String(decoding: try result.encoded(), as: UTF8.self))
        } else {
            printLines(of: result)
        }
        if let obstacle = result.obstacle {
            report(printable("could not check \(subject): \(obstacle)"))
        }
        switch result.verdict {
        case .verified: return
        case .notVerified: throw ExitCode(Answer.notVerified)
        case .couldNotCheck: throw ExitCode(Answer.couldNotCheck)
        }
    }

    /// The document of a report that ended before its first check.
    static func document(of fault: Fault) -> String {
        var report = VerificationReport()
        report.stop(fault)
        return (try? report.encoded()).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private func printLines(of result: VerificationReport) {
        for check in result.checks {
            let mark =
                switch check.result {
                case .passed: painted("OK", .green) + "     "
                case .failed: painted("FAILED", .red) + " "
                case .skipped: painted("SKIPPED", .yellow)
                }
            say("\(mark) " + printable("\(check.name): \(check.detail)"))
        }
        switch result.verdict {
        case .verified: say(printable("Verified: \(subject) \(success)"))
        case .notVerified: say(printable("NOT VERIFIED: do not use \(subject). \(remedy)"))
        case .couldNotCheck: say(printable("Could not check \(subject)."))
        }
    }
}

/// Writes a line to standard output.
private func say(_ line: String) { OutputStream.standard.write(line + "\n") }

/// `word` in a colour, on a terminal that wants colours.
private func painted(_ word: String, _ colour: Colour) -> String {
    isatty(STDOUT_FILENO) == 1 && Colour.areWanted() ? colour.paint(word) : word
}

/// `text` on one line, with whatever could confuse a terminal or a reader as its number: files and
/// logs say what they like.
func printable(_ text: String) -> String {
    var safe = ""
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
            .unassigned:
            safe += "\\u{\(String(scalar.value, radix: 16))}"
        default: safe.unicodeScalars.append(scalar)
        }
    }
    return safe
}
