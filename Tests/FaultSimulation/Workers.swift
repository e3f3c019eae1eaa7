import Federation
import Foundation
import Synchronization

/// Several processes that share the seeds: a world needs one thread, a machine has more.
enum Workers {
    /// How many of the seeds came to which end.
    struct Count {
        var passed = 0
        var failed = 0
    }

    /// Runs this program `count` times at once, each time for a part of the seeds, and prints what they find.
    ///
    /// - Throws: `Fault.internal` when one of them ends without having run its part.
    static func run(_ count: Int, arguments: [String]) throws -> Count {
        let total = Mutex(Count())
        let broken = Mutex(0)
        let printing = Mutex(())
        DispatchQueue.concurrentPerform(iterations: count) { part in
            let ended = try? lines(of: arguments + ["--part", "\(part)/\(count)"]) { line in
                guard let found = Count(line) else { return printing.withLock { _ in say(line) } }
                total.withLock {
                    $0.passed += found.passed
                    $0.failed += found.failed
                }
            }
            if ended != true { broken.withLock { $0 += 1 } }
        }
        guard broken.withLock({ $0 }) == 0 else {
            throw Fault(.internal, "a process that ran a part of the seeds crashed")
        }
        return total.withLock { $0 }
    }

    /// Runs this program and hands on what it prints; returns whether it came to its end.
    private static func lines(
        of arguments: [String], _ body: (String) -> Void
    ) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        var rest = Data()
        while case let piece = pipe.fileHandleForReading.availableData, !piece.isEmpty {
            rest.append(piece)
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                body(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                rest = Data(rest[rest.index(after: end)...])
            }
        }
        process.waitUntilExit()
        return process.terminationReason == .exit && process.terminationStatus <= 1
    }
}

extension Workers.Count {
    /// Reads the line with which a run ends; nil when `line` is another.
    fileprivate init?(_ line: String) {
        let words = line.split(separator: " ")
        guard words.count == 4, words[1] == "passed,", words[3] == "failed",
            let passed = Int(words[0]), let failed = Int(words[2])
        else { return nil }
        self.init(passed: passed, failed: failed)
    }
}
