import Console
import Foundation
import Testing

/// What is tested ends the process, so that each test has one of its own.
@Suite("Standard output")
struct OutputStreamTests {
    private static let noSpace = "error: cannot write the output: No space left on device\n"

    @Test("that cannot be written ends the program with the reason and a status of failure")
    func fullDisk() async throws {
        let ended = try await #require(
            processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
        ) {
            dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO)
            OutputStream.standard.write("an answer\n")
            exit(0)
        }
        #expect(String(decoding: ended.standardErrorContent, as: UTF8.self) == Self.noSpace)
    }

    @Test("that `print` wrote counts at the end of the program, with the program's own status")
    func printed() async throws {
        let ended = try await #require(
            processExitsWith: .exitCode(2), observing: [\.standardErrorContent]
        ) {
            OutputStream.answerForPrinting(status: 2)
            dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO)
            // Tests write each line at once; programs keep whole pages back.
            print("an answer", terminator: "")
            exit(0)
        }
        #expect(String(decoding: ended.standardErrorContent, as: UTF8.self) == Self.noSpace)
    }

    @Test("that nobody reads any more ends the program without a word, as the signal does")
    func closedPipe() async throws {
        let ended = try await #require(
            processExitsWith: .signal(SIGPIPE), observing: [\.standardErrorContent]
        ) {
            signal(SIGPIPE, SIG_IGN)
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            close(ends[0])
            dup2(ends[1], STDOUT_FILENO)
            OutputStream.standard.write("an answer\n")
            exit(0)
        }
        // The testing library leaves bytes of its own there.
        let words = String(decoding: ended.standardErrorContent, as: UTF8.self)
        #expect(!words.contains("error"))
    }

    @Test("that has no room at the moment is waited for")
    func slowReader() async {
        await #expect(processExitsWith: .exitCode(7)) {
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
            dup2(ends[1], STDOUT_FILENO)
            let reader = ends[0]
            let length = 300_000
            Thread.detachNewThread {
                var bytes = [UInt8](repeating: 0, count: 4096)
                var total = 0
                while total < length { total += max(0, read(reader, &bytes, bytes.count)) }
                exit(7)
            }
            OutputStream.standard.write(String(repeating: "x", count: length))
            sleep(20)
        }
    }

    @Test("that is only offered may be lost")
    func offered() async {
        await #expect(processExitsWith: .exitCode(5)) {
            dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO)
            OutputStream.standard.offer("listening\n")
            exit(5)
        }
    }
}
