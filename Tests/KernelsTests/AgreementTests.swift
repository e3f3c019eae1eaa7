import Foundation
import Kernels
import Testing

/// Compiles the kernels with a driver that compares them with plain loops, and runs it.
@Suite("Agreement of the instruction sets")
struct AgreementTests {
    private static let shapes = 1_000
    private static let crossTools = [
        "/usr/bin/qemu-aarch64", "/usr/aarch64-linux-gnu/lib/libc.a",
        "/usr/bin/aarch64-linux-gnu-gcc",
    ]
    private static let canCross = crossTools.allSatisfy(FileManager.default.isReadableFile)

    /// On this processor, with every access to memory checked.
    private static let here = Result {
        try Driver(compilerFlags: ["-O1", "-g", "-fsanitize=address,undefined"])
            .output(shapes: shapes)
    }

    @Test(
        "every instruction set of this processor agrees with plain loops and reads no byte beyond")
    func native() throws {
        let output = try Self.here.get()
        #expect(output.instructionSets == CPU.availableInstructionSets)
    }

    @Test(
        "every instruction set of AArch64 agrees, to the bit, with this processor's",
        .enabled(
            if: canCross,
            """
            needs the Debian packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user: \
            run 'make deps'
            """))
    func aarch64() throws {
        let here = try Self.here.get()
        let there = try Driver(compilerFlags: ["-O2", "--target=aarch64-linux-gnu", "-static"])
        for (processor, instructionSets) in [
            ("cortex-a53", ["scalar", "neon"]), ("cortex-a76", ["scalar", "neon", "sdot"]),
            ("max", ["scalar", "neon", "sdot", "i8mm"]),
        ] {
            let output = try there.output(
                shapes: Self.shapes, emulator: ["qemu-aarch64", "-cpu", processor])
            #expect(output.instructionSets == instructionSets, "\(processor)")
            #expect(output.preferred == instructionSets.last, "\(processor)")
            #expect(output.digest == here.digest, "\(processor)")
        }
    }

    @Test("TRIBUTARY_ISA chooses among the available ones; without it the fastest is chosen")
    func choice() throws {
        let driver = try Driver(compilerFlags: ["-O0"])
        let available = CPU.availableInstructionSets
        for name in available {
            let output = try driver.output(shapes: 1, environment: ["TRIBUTARY_ISA": name])
            #expect(output.preferred == name)
        }
        for name in ["", "abacus"] {
            let output = try driver.output(shapes: 1, environment: ["TRIBUTARY_ISA": name])
            #expect(output.preferred == available.last)
        }
        #expect(try driver.output(shapes: 1).preferred == available.last)
    }
}

/// The compiled driver; its folder goes when it does.
private final class Driver: Sendable {
    struct Output {
        var instructionSets: [String] = []
        var preferred = ""
        var digest = ""
    }

    private struct CommandFailure: Error {
        let command: [String]
        let output: String
    }

    private let directory = FileManager.default.temporaryDirectory.appending(
        path: "tributary-kernels-\(UUID().uuidString)")
    private var program: String { directory.appending(path: "agreement").path }

    init(compilerFlags: [String]) throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let kernels = tests.appending(path: "../../Sources/CKernels").standardized
        let sources = try FileManager.default.contentsOfDirectory(atPath: kernels.path)
            .filter { $0.hasSuffix(".c") }.map { kernels.appending(path: $0).path }
        let driver = tests.appending(path: "Fixtures/agreement.c").path
        let includes = "-I" + kernels.appending(path: "include").path
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        _ = try Self.text(
            of: ["clang", includes, driver] + sources + compilerFlags + ["-o", program, "-lm"])
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// What the driver reports; an error unless everything agrees.
    func output(
        shapes: Int, emulator: [String] = [], environment: [String: String] = [:]
    ) throws -> Output {
        let text = try Self.text(
            of: emulator + [program, String(shapes)], environment: environment)
        var output = Output()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            switch words[0] {
            case "prefers": output.preferred = words[1]
            case "digest": output.digest = words[1]
            default:
                #expect(line.hasSuffix(" agrees over \(shapes) shapes"))
                output.instructionSets.append(words[0])
            }
        }
        return output
    }

    /// What `command` prints; an error, with what it printed, unless it succeeds. TRIBUTARY_ISA is
    /// what `environment` says alone.
    private static func text(
        of command: [String], environment: [String: String] = [:]
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.environment = ProcessInfo.processInfo.environment
            .filter { $0.key != "TRIBUTARY_ISA" }.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(
            decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailure(command: command, output: output)
        }
        return output
    }
}
