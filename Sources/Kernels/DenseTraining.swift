import CKernels

/// A batch at a dense layer: the loss's gradient by some of its outputs, and its input.
package struct DenseBatch {
    /// The gradient [(firstRow + rows) x outputs].
    let gradient: [Float]
    let firstRow: Int
    let outputs: Int
    /// The outputs that matter.
    package let channels: Range<Int>
    package let rows: Int
    let input: Int8Matrix
    let encoding: Int8Encoding

    /// - Parameters:
    ///   - gradient: by all outputs of the layer, a row after the other.
    ///   - firstRow: the row of `gradient` that belongs to the first of `input`.
    package init(
        gradient: [Float], firstRow: Int = 0, outputs: Int, channels: Range<Int>, rows: Int,
        input: Int8Matrix, encoding: Int8Encoding
    ) {
        precondition(firstRow >= 0 && rows > 0 && rows <= input.rows)
        precondition(gradient.count >= (firstRow + rows) * outputs)
        precondition(channels.lowerBound >= 0 && channels.upperBound <= outputs)
        (self.gradient, self.firstRow) = (gradient, firstRow)
        (self.outputs, self.channels) = (outputs, channels)
        (self.rows, self.input, self.encoding) = (rows, input, encoding)
    }

    /// Weights of the outputs that matter.
    package var weights: Int { channels.count * input.width }

    /// Most rows whose gradient descends without being kept.
    package static let rowsTogether = Int(CK_ROWS_TOGETHER)

    /// Where the gradient that matters begins.
    fileprivate var start: Int { firstRow * outputs + channels.lowerBound }

    fileprivate func withC<Result>(_ body: (UnsafePointer<ck_dense_batch>) -> Result) -> Result {
        gradient.withUnsafeBufferPointer { gradient in
            input.values.withUnsafeBufferPointer { values in
                var batch = ck_dense_batch(
                    gradient: gradient.baseAddress.map { $0 + start },
                    gradient_stride: outputs, rows: rows, channels: channels.count,
                    input: values.baseAddress, input_stride: input.stride, width: input.width,
                    zero_point: encoding.zeroPoint, scale: encoding.scale)
                return body(&batch)
            }
        }
    }
}

/// How one step of stochastic gradient descent moves values.
package struct DescentStep: Sendable {
    package var learningRate: Float
    /// 0 without.
    package var momentum: Float
    package var nesterov: Bool
    package var weightDecay: Float
    /// How strongly values are pulled to where they started.
    package var pull: Float

    package init(
        learningRate: Float, momentum: Float = 0, nesterov: Bool = false, weightDecay: Float = 0,
        pull: Float = 0
    ) {
        (self.learningRate, self.momentum, self.nesterov) = (learningRate, momentum, nesterov)
        (self.weightDecay, self.pull) = (weightDecay, pull)
    }
}

/// Values with what descent remembers of them.
package struct DescendingValues {
    package var values: [Float]
    /// As many; empty without momentum.
    package var velocity: [Float]
    /// What `DescentStep.pull` pulls to, as many; empty without.
    package var start: [Float]

    package init(values: [Float], velocity: [Float] = [], start: [Float] = []) {
        precondition(velocity.isEmpty || velocity.count == values.count)
        precondition(start.isEmpty || start.count == values.count)
        (self.values, self.velocity, self.start) = (values, velocity, start)
    }

    /// Moves the values from `first` on along `gradient`, `count` of each.
    package mutating func descend(
        from first: Int, count: Int, along gradient: [Float], gradientFrom: Int = 0,
        _ step: DescentStep
    ) {
        precondition(gradientFrom >= 0 && gradientFrom + count <= gradient.count)
        gradient.withUnsafeBufferPointer { gradient in
            guard let gradient = gradient.baseAddress else { return }
            withC(first, count, step) {
                ck_descend(CPU.preferred, $0, gradient + gradientFrom, count)
            }
        }
    }

    /// Moves weights [channels x inputs], which are the values from `first` on, along the gradient
    /// that `batch` gives them; of at most `DenseBatch.rowsTogether` rows.
    package mutating func descend(from first: Int, along batch: DenseBatch, _ step: DescentStep) {
        precondition(batch.rows <= DenseBatch.rowsTogether)
        withC(first, batch.weights, step) { descent in
            batch.withC { ck_weight_descent(CPU.preferred, $0, descent) }
        }
    }

    private mutating func withC(
        _ first: Int, _ count: Int, _ step: DescentStep, _ body: (UnsafePointer<ck_descent>) -> Void
    ) {
        precondition(first >= 0 && count >= 0 && first + count <= values.count)
        let usesVelocity = !velocity.isEmpty
        start.withUnsafeBufferPointer { start in
            values.withUnsafeMutableBufferPointer { values in
                velocity.withUnsafeMutableBufferPointer { velocity in
                    var descent = ck_descent()
                    descent.values = values.baseAddress.map { $0 + first }
                    descent.velocity = usesVelocity ? velocity.baseAddress.map { $0 + first } : nil
                    descent.start = start.isEmpty ? nil : start.baseAddress.map { $0 + first }
                    descent.rate = step.learningRate
                    descent.momentum = step.momentum
                    descent.decay = step.weightDecay
                    descent.pull = step.pull
                    descent.nesterov = step.nesterov
                    body(&descent)
                }
            }
        }
    }
}

/// The backward pass of a dense layer; the same bits on every CPU.
package enum DenseTraining {
    /// The gradient by the biases: the sums of the columns of `gradient` [rows x biases.count].
    package static func biasGradient(
        _ gradient: [Float], rows: Int, into biases: inout [Float]
    ) {
        precondition(gradient.count >= rows * biases.count)
        ck_column_sums(CPU.preferred, gradient, rows, biases.count, &biases)
    }

    /// The gradient by the weights of the batch's channels, to the beginning of `gradient`
    /// [channels x inputs]; added to it if `adds`.
    ///
    /// The gradient by the outputs is rounded to 15 bits and a sign, a channel and 128 rows in units
    /// of their largest; its products with the input are exact.
    package static func weightGradient(
        _ batch: DenseBatch, adds: Bool = false, into gradient: inout [Float]
    ) {
        precondition(gradient.count >= batch.weights)
        batch.withC { ck_weight_gradient(CPU.preferred, $0, adds, &gradient) }
    }

    /// The gradient by the input [rows x inputs], as far as it comes through the batch's channels,
    /// whose weights [channels x inputs] begin at `weights`; added to `gradient` if `adds`.
    package static func inputGradient(
        _ batch: DenseBatch, weights: MatrixPart, adds: Bool, into gradient: inout [Float]
    ) {
        let width = batch.input.width
        precondition(gradient.count >= batch.rows * width && weights.stride == width)
        weights.check(rows: batch.channels.count, columns: width)
        weights.values.withUnsafeBufferPointer { all in
            batch.gradient.withUnsafeBufferPointer { from in
                guard let from = from.baseAddress, let start = all.baseAddress else { return }
                ck_input_gradient(
                    CPU.preferred, from + batch.start, batch.outputs, batch.rows,
                    batch.channels.count, start + weights.offset, width, adds, &gradient)
            }
        }
    }
}
