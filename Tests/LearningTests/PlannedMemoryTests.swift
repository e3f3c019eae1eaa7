import Federation
import Glibc
import Learning
import Testing

@Suite("Memory of training")
struct PlannedMemoryTests {
    /// The graphs that are trained, by name.
    private static func shapes() throws -> [(name: String, shape: StudentShape)] {
        let conv = LayerKind.conv(
            ConvPlan(channels: 16, kernel: [3, 3], padding: [1, 1]))
        let depthwise = LayerKind.conv(
            ConvPlan(channels: 16, kernel: [3, 3], padding: [1, 1], isDepthwise: true))
        let pointwise = LayerKind.conv(ConvPlan(channels: 24, kernel: [1, 1]))
        let small: [LayerKind] = [
            conv, .maxPool(size: [2, 2], stride: [2, 2]), .flatten, .dense(units: 10, relu: false),
        ]
        let separable: [LayerKind] = [
            conv, depthwise, pointwise, .averagePool(size: [2, 2], stride: [2, 2]), .flatten,
            .dense(units: 10, relu: false),
        ]
        let residual: [LayerKind] = [
            conv, conv, .add(from: "l0", relu: true), .flatten, .dropout(rate: 0.2),
            .dense(units: 10, relu: false),
        ]
        let images = TensorShape(2, 14, 14)
        return try [
            ("dense", StudentShape(widths: [784, 128, 10], relu: [true, false])),
            (
                "wide dense",
                StudentShape(widths: [784, 352, 64, 10], relu: [true, true, false])
            ),
            ("one dense", StudentShape(widths: [300, 10], relu: [false])),
            ("CNN", Graphs.shape(images, small)),
            ("separable", Graphs.shape(images, separable)),
            ("residual", Graphs.shape(images, residual)),
            (
                "series",
                Graphs.shape(
                    TensorShape(6, 1, 256),
                    [
                        .conv(ConvPlan(channels: 32, kernel: [1, 9], stride: [1, 2])),
                        .conv(ConvPlan(channels: 64, kernel: [1, 5], stride: [1, 2])), .flatten,
                        .dense(units: 10, relu: false),
                    ])
            ),
        ]
    }

    private static func training(lowMemory: Bool) -> [TrainingPlan] {
        var plain = TrainingPlan(epochs: 1, batchSize: 32, learningRate: 1e-4, momentum: 0)
        plain.lowMemory = lowMemory
        guard !lowMemory else { return [plain] }
        var adam = plain
        adam.optimizer = .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
        adam.proximalMu = 0.1
        var clipped = plain
        clipped.optimizer = .sgd(momentum: 0.9, nesterov: false)
        clipped.clipNorm = 1
        return [plain, adam, clipped]
    }

    @Test("what is planned is what is allocated, before the first step and not after")
    func allocation() async throws {
        // In a process of its own: other tests allocate, too.
        await #expect(processExitsWith: .success) {
            for (name, shape) in try Self.shapes() {
                for lowMemory in [false, true] {
                    for training in Self.training(lowMemory: lowMemory) {
                        try Self.compare(name, shape, training)
                    }
                }
            }
        }
    }

    private static func compare(
        _ name: String, _ shape: StudentShape, _ training: TrainingPlan
    ) throws {
        let start = graphParameters(shape, seed: 51)
        let model = try QuantizedModel(
            parameters: start, shape: shape, normalisation: pixels)
        let planned = try StudentTrainer.plannedBytes(
            shape: shape, normalisation: pixels, training: training, examples: 320)
        // The first run makes what stays, like OpenBLAS's own buffers.
        var heap: [Int] = []
        for _ in 0..<2 {
            var trainer = try StudentTrainer(
                shape: shape, model: model, training: training)
            var random = SeededRandom(seed: 52)
            var data = Noise(features: shape.inputs)
            data.heap.reserveCapacity(100)
            let before = try heapInUse()
            _ = try trainer.train(on: &data, random: &random, progress: always)
            heap = data.heap.map { $0 - before }
        }
        // The first ten batches count the classes; before the last reading all steps but one are
        // done.
        let (first, last) = (heap[10], heap[19])
        #expect(heap.count == 20)
        #expect(abs(first - planned) < planned / 50 + 20_000, "\(name): \(first), not \(planned)")
        #expect(abs(last - first) < 4_096, "\(name): from \(first) to \(last)")
    }

    @Test("without fp32 weights it is far less")
    func lowMemory() throws {
        let shape = try StudentShape(widths: [784, 352, 64, 10], relu: [true, true, false])
        var training = TrainingPlan(epochs: 1, batchSize: 32, learningRate: 1, momentum: 0.9)
        func planned() throws -> Int {
            try StudentTrainer.plannedBytes(
                shape: shape, normalisation: pixels, training: training, examples: 1_000)
        }
        let withMomentum = try planned()
        training.optimizer = .sgd(momentum: 0, nesterov: false)
        let latent = try planned()
        training.lowMemory = true
        let low = try planned()
        // A vector of fp32 parameters: the latent weights, and the velocity of as many.
        let vector = 4 * shape.parameterCount
        #expect(withMomentum - latent > vector * 9 / 10)
        #expect(latent - low > vector * 7 / 10)
        #expect(low * 3 < withMomentum)
    }
}

/// Examples without a meaning, which look at the heap whenever they are read.
private struct Noise: ExampleSource {
    let count = 320
    let features: Int
    var heap: [Int] = []

    mutating func read(
        rows: ArraySlice<Int>, features output: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        heap.append((try? heapInUse()) ?? 0)
        for (offset, row) in rows.enumerated() {
            labels[offset] = Int32(row % 10)
            for column in 0..<features {
                output[offset * features + column] = Float((row * 31 + column * 17) % 256)
            }
        }
    }
}

private struct NoHeap: Error {}

/// The bytes that this process has allocated and not freed, by malloc's own account.
private func heapInUse() throws -> Int {
    typealias Info = @convention(c) (CInt, UnsafeMutablePointer<FILE>) -> CInt
    guard let symbol = dlsym(nil, "malloc_info") else { throw NoHeap() }
    let info = unsafeBitCast(symbol, to: Info.self)
    var text: UnsafeMutablePointer<CChar>?
    var length = 0
    guard let stream = open_memstream(&text, &length) else { throw NoHeap() }
    let status = info(0, stream)
    fclose(stream)
    defer { free(text) }
    guard status == 0, let text else { throw NoHeap() }
    // After the last arena come the sums of all.
    let sums = String(cString: text).split(separator: "</heap>").last ?? ""
    func size(_ tag: String) -> Int {
        guard let start = sums.range(of: tag) else { return 0 }
        let rest = sums[start.upperBound...]
        guard let value = rest.range(of: "size=\"") else { return 0 }
        return Int(rest[value.upperBound...].prefix { $0.isNumber }) ?? 0
    }
    return size("<system type=\"current\"") + size("type=\"mmap\"") - size("type=\"fast\"")
        - size("type=\"rest\"")
}

extension Substring {
    /// Where `part` first occurs.
    fileprivate func range(of part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) {
                return start..<index(start, offsetBy: part.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
