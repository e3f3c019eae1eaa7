import COpenBLAS

/// OpenBLAS's single-precision matrix product.
package enum Blas {
    /// Keeps matrix products on the calling thread: a device's cores are not ours to fill, and each
    /// thread costs memory.
    package static func useOneThread() { openblas_set_num_threads(1) }

    /// c [m x n] = op(a) [m x k] times op(b) [k x n] + beta c; all row-major.
    ///
    /// `transposeA` says that `a` is stored [k x m], `transposeB` that `b` is stored [n x k].
    package static func multiply(
        _ a: [Float], transposeA: Bool = false, _ b: [Float], transposeB: Bool = false,
        m: Int, n: Int, k: Int, beta: Float = 0, into c: inout [Float]
    ) {
        precondition(m > 0 && n > 0 && k > 0)
        precondition(a.count >= m * k && b.count >= k * n && c.count >= m * n)
        cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
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
                cblas_sgemm(
                    CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, CblasNoTrans,
                    blasint(m), blasint(n), blasint(k), 1, first + a.offset, blasint(a.stride),
                    second + b.offset, blasint(b.stride), beta, &c, blasint(n))
            }
        }
    }

    /// y += alpha x.
    package static func add(_ x: [Float], times alpha: Float, to y: inout [Float]) {
        precondition(x.count == y.count)
        cblas_saxpy(blasint(x.count), alpha, x, 1, &y, 1)
    }

    /// y += alpha x for the elements of `xs` in x and as many of y from `start` on.
    package static func add(
        _ x: [Float], _ xs: Range<Int>, times alpha: Float, to y: inout [Float], from start: Int
    ) {
        precondition(xs.lowerBound >= 0 && xs.upperBound <= x.count)
        precondition(start >= 0 && start + xs.count <= y.count)
        x.withUnsafeBufferPointer { x in
            y.withUnsafeMutableBufferPointer { y in
                guard let x = x.baseAddress, let y = y.baseAddress else { return }
                cblas_saxpy(blasint(xs.count), alpha, x + xs.lowerBound, 1, y + start, 1)
            }
        }
    }

    /// Whether sgemm gives a known answer here, and the core type whose kernels OpenBLAS chose.
    ///
    /// Old OpenBLAS releases mistake new processors for others; the environment variable
    /// OPENBLAS_CORETYPE then helps.
    package static func selfTest() -> (passed: Bool, core: String) {
        let core = openblas_get_corename().map { String(cString: $0) } ?? "unknown"
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

    fileprivate func check(rows: Int, columns: Int) {
        precondition(columns <= stride && offset >= 0)
        precondition(offset + (rows - 1) * stride + columns <= values.count)
    }
}
