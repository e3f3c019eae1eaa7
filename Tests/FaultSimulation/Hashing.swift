import Federation
import Foundation

/// Sets and dictionaries are walked through in the order of their hashes, which differ in every process unless it is told
/// otherwise when it starts.
enum Hashing {
    private static let variable = "SWIFT_DETERMINISTIC_HASHING"

    static var isDeterministic: Bool { getenv(variable) != nil }

    /// Starts this program anew, with hashes that are the same every time.
    static func runAgain() throws {
        setenv(variable, "1", 1)
        var arguments = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", arguments)
        throw Fault(.internal, "cannot start anew: \(String(cString: strerror(errno)))")
    }
}
