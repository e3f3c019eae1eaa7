import CKernels

/// How a convolution or a pooling looks at images.
///
/// Images are stored with their channels innermost: [height, width, channels]. What one window sees
/// is a patch, [kernel height, kernel width, channels]; there is one for each `position`, row-major.
/// A batch of images of bytes is an `Int8Matrix` with one row an image, a batch of images of floats
/// is [images x height x width x channels].
package struct ImageWindow: Sendable, Equatable {
    package let height, width, channels: Int
    package let kernelHeight, kernelWidth: Int
    package let strideHeight, strideWidth: Int
    /// Rows of padding above and below the image, columns to its left and right.
    package let paddingHeight, paddingWidth: Int

    /// Kernel and strides are positive, the padding is less than the kernel, and the kernel fits
    /// into the padded image.
    package init(
        height: Int, width: Int, channels: Int, kernelHeight: Int, kernelWidth: Int,
        strideHeight: Int = 1, strideWidth: Int = 1, paddingHeight: Int = 0, paddingWidth: Int = 0
    ) {
        precondition(height > 0 && width > 0 && channels > 0)
        precondition(kernelHeight > 0 && kernelWidth > 0 && strideHeight > 0 && strideWidth > 0)
        precondition(0..<kernelHeight ~= paddingHeight && 0..<kernelWidth ~= paddingWidth)
        precondition(kernelHeight <= height + 2 * paddingHeight)
        precondition(kernelWidth <= width + 2 * paddingWidth)
        (self.height, self.width, self.channels) = (height, width, channels)
        (self.kernelHeight, self.kernelWidth) = (kernelHeight, kernelWidth)
        (self.strideHeight, self.strideWidth) = (strideHeight, strideWidth)
        (self.paddingHeight, self.paddingWidth) = (paddingHeight, paddingWidth)
    }

    package var outputHeight: Int { (height + 2 * paddingHeight - kernelHeight) / strideHeight + 1 }
    package var outputWidth: Int { (width + 2 * paddingWidth - kernelWidth) / strideWidth + 1 }
    /// Windows an image.
    package var positions: Int { outputHeight * outputWidth }
    /// Pixels of a patch.
    package var taps: Int { kernelHeight * kernelWidth }
    /// Elements of a patch.
    package var patchLength: Int { taps * channels }
    /// Elements of an image.
    package var imageLength: Int { height * width * channels }

    fileprivate var c: ck_window {
        ck_window(
            height: height, width: width, channels: channels, kernel_height: kernelHeight,
            kernel_width: kernelWidth, step_height: strideHeight, step_width: strideWidth,
            top: paddingHeight, left: paddingWidth, out_height: outputHeight,
            out_width: outputWidth)
    }
}

/// Convolution and pooling, forwards in bytes and backwards in floats.
///
/// A convolution is the patches of its images times its weights: `patches`,
/// `Int8Kernels.multiply` with `Int8Weights(channels: outputs, width: window.patchLength)` whose
/// rows are [kernel height, kernel width, channels], then `requantise`. `rows` counts the images in
/// use: buffers may hold more.
package enum Convolution {
    /// patches [rows x positions, patchLength] of `images` [rows, imageLength] from image `first`
    /// on; outside an image there is `zeroPoint`.
    package static func patches(
        of images: Int8Matrix, from first: Int = 0, rows: Int, window: ImageWindow,
        zeroPoint: Int32, into patches: inout Int8Matrix
    ) {
        check(images, first + rows, window)
        precondition(patches.rows >= rows * window.positions)
        precondition(patches.width == window.patchLength)
        var window = window.c
        images.values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            ck_patches_int8(
                &window, values + first * images.stride, rows, images.stride, Int8(zeroPoint),
                &patches.values, patches.stride)
        }
    }

    /// patches [rows x positions x patchLength] of `images` [rows x imageLength] from image `first`
    /// on; outside an image there is 0.
    package static func patches(
        of images: [Float], from first: Int = 0, rows: Int, window: ImageWindow,
        into patches: inout [Float]
    ) {
        precondition(images.count >= (first + rows) * window.imageLength)
        precondition(patches.count >= rows * window.positions * window.patchLength)
        let start = first * window.imageLength
        var window = window.c
        images.withUnsafeBufferPointer { images in
            guard let images = images.baseAddress else { return }
            ck_patches_float(&window, images + start, rows, &patches)
        }
    }

    /// The transpose of `patches`: adds each element of `patches` [rows x positions x patchLength]
    /// to the element of `images` [rows x imageLength], from image `first` on, that it is read
    /// from.
    package static func add(
        patches: [Float], rows: Int, window: ImageWindow, to images: inout [Float],
        from first: Int = 0
    ) {
        precondition(images.count >= (first + rows) * window.imageLength)
        precondition(patches.count >= rows * window.positions * window.patchLength)
        let start = first * window.imageLength
        var window = window.c
        images.withUnsafeMutableBufferPointer { images in
            guard let images = images.baseAddress else { return }
            ck_add_patches(CPU.preferred, &window, patches, rows, images + start)
        }
    }

    /// Depthwise convolution: products [rows x positions x channels], exact; outside an image there
    /// is `zeroPoint`.
    ///
    /// - Parameter weights: `window.channels` x `window.taps`.
    package static func depthwise(
        _ images: Int8Matrix, rows: Int, window: ImageWindow, zeroPoint: Int32,
        by weights: Int8Weights, into products: inout [Int32]
    ) {
        check(images, rows, window)
        precondition(weights.channels == window.channels && weights.width == window.taps)
        precondition(products.count >= rows * window.positions * window.channels)
        var window = window.c
        ck_depthwise(
            CPU.preferred, &window, images.values, rows, images.stride, Int8(zeroPoint),
            weights.packed, &products)
    }

    /// The backward pass of `depthwise` on real values.
    ///
    /// - Parameters:
    ///   - gradient: by the outputs [rows x positions x channels].
    ///   - images: the inputs [rows x imageLength].
    ///   - weights: [channels x taps], or more.
    ///   - weightGradient: by the weights [channels x taps], added to; or more.
    ///   - imageGradient: by the inputs [rows x imageLength], added to.
    package static func depthwiseGradient(
        _ gradient: [Float], images: [Float], rows: Int, window: ImageWindow, weights: [Float],
        weightGradient: inout [Float], imageGradient: inout [Float]
    ) {
        precondition(gradient.count >= rows * window.positions * window.channels)
        precondition(images.count >= rows * window.imageLength)
        precondition(imageGradient.count >= rows * window.imageLength)
        precondition(weights.count >= window.channels * window.taps)
        precondition(weightGradient.count >= window.channels * window.taps)
        var window = window.c
        ck_depthwise_gradients(
            CPU.preferred, &window, gradient, images, rows, weights, &weightGradient, &imageGradient
        )
    }

    /// As above for a first layer, whose inputs need no gradient.
    package static func depthwiseGradient(
        _ gradient: [Float], images: [Float], rows: Int, window: ImageWindow, weights: [Float],
        weightGradient: inout [Float]
    ) {
        precondition(gradient.count >= rows * window.positions * window.channels)
        precondition(images.count >= rows * window.imageLength)
        precondition(weights.count == window.channels * window.taps)
        precondition(weightGradient.count == weights.count)
        var window = window.c
        ck_depthwise_gradients(
            CPU.preferred, &window, gradient, images, rows, weights, &weightGradient, nil)
    }

    /// As `Int8Kernels.requantise` for products [rows x positions x channels] of images, which
    /// `images` [rows, positions x channels] receives.
    package static func requantise(
        _ products: [Int32], rows: Int, bias: [Int32], multipliers: [Float], zeroPoint: Int32,
        into images: inout Int8Matrix
    ) {
        checkOutputs(products, rows, bias, multipliers, images)
        ck_requantise_images(
            CPU.preferred, products, rows, images.width / bias.count, bias.count, bias,
            multipliers, zeroPoint, &images.values, images.stride, nil)
    }

    /// As above, and `scaled` [rows x positions x channels] receives the values before the clamp.
    package static func requantise(
        _ products: [Int32], rows: Int, bias: [Int32], multipliers: [Float], zeroPoint: Int32,
        into images: inout Int8Matrix, scaled: inout [Float]
    ) {
        checkOutputs(products, rows, bias, multipliers, images)
        precondition(scaled.count >= rows * images.width)
        ck_requantise_images(
            CPU.preferred, products, rows, images.width / bias.count, bias.count, bias,
            multipliers, zeroPoint, &images.values, images.stride, &scaled)
    }

    /// The largest value of each channel under each window: output [rows, positions x channels].
    ///
    /// - Parameter winners: receives each largest value's index in its image [rows x positions x
    ///   channels]; of equals the first.
    package static func maxPool(
        _ images: Int8Matrix, rows: Int, window: ImageWindow, into output: inout Int8Matrix,
        winners: inout [Int32]
    ) {
        check(images, rows, window)
        precondition(output.rows >= rows && output.width == window.positions * window.channels)
        precondition(winners.count >= rows * output.width)
        var window = window.c
        ck_max_pool(
            CPU.preferred, &window, images.values, rows, images.stride, &output.values,
            output.stride, &winners)
    }

    /// As above for inference, which needs no winners.
    package static func maxPool(
        _ images: Int8Matrix, rows: Int, window: ImageWindow, into output: inout Int8Matrix
    ) {
        check(images, rows, window)
        precondition(output.rows >= rows && output.width == window.positions * window.channels)
        var window = window.c
        ck_max_pool(
            CPU.preferred, &window, images.values, rows, images.stride, &output.values,
            output.stride, nil)
    }

    /// The backward pass of `maxPool`: adds `gradient` [rows x outputs] to the elements of
    /// `imageGradient` [rows x inputs] that `winners` names.
    package static func add(
        _ gradient: [Float], toWinners winners: [Int32], rows: Int, outputs: Int, inputs: Int,
        of imageGradient: inout [Float]
    ) {
        precondition(gradient.count >= rows * outputs && winners.count >= rows * outputs)
        precondition(imageGradient.count >= rows * inputs)
        ck_add_to_winners(gradient, winners, rows, outputs, inputs, &imageGradient)
    }

    private static func check(_ images: Int8Matrix, _ rows: Int, _ window: ImageWindow) {
        precondition(rows <= images.rows && images.width == window.imageLength)
    }

    private static func checkOutputs(
        _ products: [Int32], _ rows: Int, _ bias: [Int32], _ multipliers: [Float],
        _ images: Int8Matrix
    ) {
        precondition(rows <= images.rows && products.count >= rows * images.width)
        precondition(!bias.isEmpty && images.width.isMultiple(of: bias.count))
        precondition(multipliers.count == bias.count)
    }
}
