import CKernels
import COneDNN
import CPeak
import Foundation
import Kernels

/// Measures the integer kernels, the privacy mechanism, the transparency log and a training step on
/// one core.
///
/// usage: KernelBenchmarks FILE PYTHON; PYTHON is the interpreter that may have PyTorch.
@main
struct KernelBenchmarks {
    private let isa = ck_isa_preferred()
    private let peak: Measurement
    private var results = Results()

    static func main() throws {
        guard CommandLine.arguments.count == 3 else {
            print("usage: KernelBenchmarks FILE PYTHON")
            exit(2)
        }
        var benchmarks = Self()
        benchmarks.measureLimits()
        benchmarks.measureProducts()
        benchmarks.measureConvolution()
        benchmarks.measureVector()
        try benchmarks.measureMechanism()
        try benchmarks.measureFold()
        try benchmarks.measureLog()
        try benchmarks.measureTraining(python: CommandLine.arguments[2])
        try benchmarks.results.write(to: CommandLine.arguments[1])
    }

    private init() {
        let rounds: UInt64 = 1 << 16
        peak = Measurement(operations: peak_run(1) * Double(rounds)) {
            _ = peak_run(rounds)
        }
        let name = String(cString: ck_isa_name(isa))
        print("int8 kernels \(name), one thread; medians of 101 runs of 1 to 2 ms")
        Results.printHeader()
    }

    /// Compares with the instruction's peak: the best run of many, because it is what is possible.
    private mutating func report(_ name: String, _ measurement: Measurement, target: Double) {
        results.add(
            name, BenchmarkResult(value: measurement.median, unit: "GOPS", limit: peak.best),
            limit: "\(String(cString: peak_instruction())) on registers", target: target)
    }

    /// What everything else is compared with, and how near OpenBLAS's products come to it: those that training is made of.
    private mutating func measureLimits() {
        Blas.useOneThread()
        let limits = Limits()
        results.add(limit: "memcpy", limits.copiedBytesPerSecond / 1e9, "GB/s")
        results.add(limit: "aes_gcm", limits.encryptedBytesPerSecond / 1e9, "GB/s")
        results.add(limit: "int8_peak", peak.best, "GOPS")
        let float32 = limits.float32OperationsPerSecond / 1e9
        results.add(limit: "fp32_peak", float32, "GFLOPS")
        for (name, m, n, k) in [
            ("sgemm_512", 512, 512, 512), ("sgemm_gradient_128x784x32", 128, 784, 32),
        ] {
            let a = [Float](repeating: 0.5, count: m * k)
            let b = [Float](repeating: 0.25, count: k * n)
            var c = [Float](repeating: 0, count: m * n)
            let measurement = Measurement(operations: 2 * Double(m * n * k)) {
                Blas.multiply(a, transposeA: true, b, m: m, n: n, k: k, into: &c)
            }
            results.add(
                name,
                BenchmarkResult(value: measurement.median, unit: "GFLOPS", limit: float32),
                limit: "\(String(cString: peak_fp32_instruction())) on registers", target: 0)
        }
    }

    private mutating func measureProducts() {
        for (name, rows, channels, width, target) in [
            ("gemm_int8_512", 512, 512, 512, 0.75), ("gemm_int8_32x128x640", 32, 128, 640, 0.55),
        ] {
            let operands = Operands(rows: rows, channels: channels, width: width)
            let measurement = Measurement(operations: operands.operations) {
                operands.multiply(isa)
            }
            report(name, measurement, target: target)
        }
    }

    /// 3 x 3, 32 to 64 channels on 16 x 16 pixels: patches, product, bias, requantising and clamp.
    private mutating func measureConvolution() {
        let (side, channels, outputs) = (16, 32, 64)
        var window = ck_window(
            height: side, width: side, channels: channels, kernel_height: 3, kernel_width: 3,
            step_height: 1, step_width: 1, top: 1, left: 1, out_height: side, out_width: side)
        let image = (0..<side * side * channels).map { _ in Int8.random(in: -128...127) }
        let operands = Operands(rows: side * side, channels: outputs, width: 9 * channels)
        let measurement = Measurement(operations: operands.operations) {
            ck_patches_int8(&window, image, 1, image.count, 0, operands.a, operands.stride)
            operands.layer(isa)
        }
        report("conv_int8_16x16x32_3x3x64", measurement, target: 0.55)
    }

    /// One row: the weights, too large for the first-level cache, are read once a product.
    private mutating func measureVector() {
        let operands = Operands(rows: 1, channels: 256, width: 256)
        let measurement = Measurement(operations: operands.operations) { operands.multiply(isa) }
        guard onednn_prepare(1, 256, 256) else {
            print("oneDNN is not installed (libdnnl-dev): gemv_int8_256 is compared with the peak")
            report("gemv_int8_256", measurement, target: 0)
            return
        }
        let other = Measurement(operations: operands.operations) { onednn_run() }
        results.add(
            "gemv_int8_256",
            BenchmarkResult(value: measurement.median, unit: "GOPS", limit: other.median),
            limit: "oneDNN matmul with prepared weights", target: 1 / 1.2)
    }

    /// Noise and the update codec against the generator of random bytes that both of them drain.
    private mutating func measureMechanism() throws {
        let mechanism = try Mechanism()
        let bytes = mechanism.randomBytes
        let source = "OpenSSL's generator, 64 KiB at a time"
        results.add(
            "discrete_gaussian_per_second",
            BenchmarkResult(
                value: mechanism.samples, unit: "samples/s",
                limit: bytes / Mechanism.bytesOfSample),
            limit: "\(source), 16 bytes a sample",
            target: 20e6 / (bytes / Mechanism.bytesOfSample))
        results.add(
            "lattice_bytes_per_second",
            BenchmarkResult(value: mechanism.latticeBytes, unit: "B/s", limit: bytes),
            limit: "\(source), 4 bytes a float32", target: 1e9 / bytes)
    }

    /// Adding updates to a round's sum against the machine's memory.
    private mutating func measureFold() throws {
        let fold = try FoldBandwidth()
        for (name, rate) in [
            ("fold_bandwidth", fold.weighted), ("fold_private_bandwidth", fold.narrow),
            ("fold_checked_bandwidth", fold.checked),
        ] {
            results.add(
                name,
                BenchmarkResult(value: rate / 1e9, unit: "GB/s", limit: fold.limit / 1e9),
                limit: "memory, bytes read and bytes written", target: 0.7)
        }
    }

    /// Appending to a log of a million leaves against one of a thousand: time and reads may grow with
    /// the logarithm only. Then what a reader does.
    private mutating func measureLog() throws {
        var small = LogGrowth(size: 1000)
        var large = LogGrowth(size: 1_000_000)
        results.add(
            "log_append_million",
            BenchmarkResult(
                value: large.appendsPerSecond(), unit: "leaves/s", limit: small.appendsPerSecond()),
            limit: "the same in a log of a thousand", target: 0.5)
        let levels = Double(64 - large.size.leadingZeroBitCount)
        results.add(
            "log_append_million_reads",
            BenchmarkResult(value: Double(large.mostReads()), unit: "nodes", limit: levels),
            limit: "one node a level", atMost: 1)
        results.add(
            "log_node_hashes_per_second",
            BenchmarkResult(
                value: HashLimits.nodesPerSecond(), unit: "nodes/s",
                limit: HashLimits.blocksPerSecond() / HashLimits.blocksOfNode),
            limit: "OpenSSL's SHA-256 of 64 KiB, 128 bytes a node", target: 0.2)
        results.add(
            "log_proofs_per_second",
            BenchmarkResult(
                value: try large.verificationsPerSecond(), unit: "proofs/s",
                limit: try HashLimits.signaturesPerSecond()),
            limit: "OpenSSL's Ed25519 verification alone", target: 0.5)
        results.add(
            "verify_model_10_mb",
            BenchmarkResult(value: try ModelCheck().milliseconds(), unit: "ms", limit: 100),
            limit: "what an auditor is asked to wait", atMost: 1)
    }

    /// Training in int8 against its products alone, and against PyTorch's in float32.
    private mutating func measureTraining(python: String) throws {
        for student in [TrainingStep.Student.dense, .cnn] {
            var step = try TrainingStep(student)
            let rate = try step.rate()
            if student == .dense {
                results.add(
                    "train_step_dense",
                    BenchmarkResult(
                        value: rate, unit: "steps/s", limit: step.limit(peak: peak.best * 1e9)),
                    limit: "its products at the peak, nothing else", target: 0.2)
            }
            let name = "train_step_\(student.rawValue)_vs_pytorch"
            guard let other = try Self.pytorch(python, student) else {
                print("\(python) has no PyTorch: \(name) is not measured")
                continue
            }
            results.add(
                name, BenchmarkResult(value: rate, unit: "steps/s", limit: other.stepsPerSecond),
                limit: "PyTorch \(other.version), float32", target: 1)
        }
    }

    /// What train_step.py prints; nil without PyTorch.
    private static func pytorch(
        _ python: String, _ student: TrainingStep.Student
    ) throws -> (stepsPerSecond: Double, version: String)? {
        let process = Process()
        let pipe = Pipe()
        let script = URL(filePath: #filePath).appending(path: "../../../train_step.py")
        process.executableURL = URL(filePath: python)
        process.arguments = [script.standardized.path, student.rawValue]
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let words = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard process.terminationStatus == 0, words.count == 2, let rate = Double(words[0])
        else { return nil }
        return (rate, String(words[1]))
    }
}
