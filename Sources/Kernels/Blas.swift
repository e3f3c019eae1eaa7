import COpenBLAS

/// OpenBLAS's single-precision matrix product.
package enum Blas {
    /// Keeps matrix products on the calling thread: a device's cores are not ours to fill, and each
    /// thread costs memory. For the start of a program: it changes the environment.
    package static func useOneThread() { blas_set_threads(1) }

    /// Loads the library, which otherwise the first product does, in a few milliseconds.
    package static func load() { blas_load() }

    /// Whether products were asked for and there is no OpenBLAS, so that they take plain loops, which are many times slower.
    package static var isMissing: Bool { blas_is_missing() }

    /// c [m x n] = op(a) [m x k] times op(b) [k x n] + beta c; all row-major.
    ///
    /// `transposeA` says that `a` is stored [k x m], `transposeB` that `b` is stored [n x k].
    package static func multiply(
        _ a: [Float], transposeA: Bool = false, _ b: [Float], transposeB: Bool = false,
        m: Int, n: Int, k: Int, beta: Float = 0, into c: inout [Float]
    ) {
        precondition(m > 0 && n > 0 && k > 0)
        precondition(a.count >= m * k && b.count >= k * n && c.count >= m * n)
        blas_sgemm(
            transposeA ? CblasTrans : CblasNoTrans,
            transposeB ? CblasTrans : CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a,
            blasint(transposeA ? m : k), b, blasint(transposeB ? k : n), beta, &c, blasint(n))
    }

    /// c [m x n] = op(a) [m x k] times op(b) [k x n] + beta c, of matrices inside larger ones; `c`
    /// begins its array and has n columns.
    package static func multiply(
        _ a: MatrixPart, transposeA: Bool = false, _ b: MatrixPart, m: Int, n: Int, k: Int,
        beta: Float = 0, into c: inout [Float]
    ) {
        precondition(m > 0 && n > 0 && k > 0 && c.count >= m * n)
        a.check(rows: transposeA ? k : m, columns: transposeA ? m : k)
        b.check(rows: k, columns: n)
        a.values.withUnsafeBufferPointer { first in
            b.values.withUnsafeBufferPointer { second in
                guard let first = first.baseAddress, let second = second.baseAddress else { return }
                blas_sgemm(
                    transposeA ? CblasTrans : CblasNoTrans, CblasNoTrans,
                    blasint(m), blasint(n), blasint(k), 1, first + a.offset, blasint(a.stride),
                    second + b.offset, blasint(b.stride), beta, &c, blasint(n))
            }
        }
    }

    /// Whether sgemm gives a known answer here, and the core type whose kernels OpenBLAS chose.
    ///
    /// Old OpenBLAS releases mistake new processors for others; the environment variable
    /// OPENBLAS_CORETYPE then helps.
    package static func selfTest() -> (passed: Bool, core: String) {
        let core = blas_core_name().map { String(cString: $0) } ?? "unknown"
        // Odd sizes reach the kernels' edges; small integers make the answer exact.
        let (m, n, k) = (37, 29, 65)
        let a = (0..<m * k).map { Float($0 * 7 % 11 - 5) }
        let b = (0..<k * n).map { Float($0 * 5 % 13 - 6) }
        var c = [Float](repeating: 0, count: m * n)
        multiply(a, b, m: m, n: n, k: k, into: &c)
        let passed = (0..<m * n).allSatisfy { index in
            let (row, column) = (index / n, index % n)
            let expected = (0..<k).reduce(Float(0)) { $0 + a[row * k + $1] * b[$1 * n + column] }
            return c[index] == expected
        }
        return (passed, core)
    }
}

/// A matrix that lies inside an array: row r begins at element `offset` + r * `stride`.
package struct MatrixPart {
    package let values: [Float]
    let offset: Int
    let stride: Int

    package init(_ values: [Float], offset: Int = 0, stride: Int) {
        self.values = values
        self.offset = offset
        self.stride = stride
    }

    func check(rows: Int, columns: Int) {
        precondition(columns <= stride && offset >= 0)
        precondition(offset + (rows - 1) * stride + columns <= values.count)
    }
}
