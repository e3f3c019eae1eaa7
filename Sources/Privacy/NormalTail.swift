import Glibc

/// ln(e^left + e^right).
func logOfSum(_ left: Double, _ right: Double) -> Double {
    let larger = max(left, right)
    return larger == -.infinity ? larger : larger + log1p(exp(min(left, right) - larger))
}

/// ln P(X > x) for X from N(0, 1).
func logOfNormalTail(_ x: Double) -> Double {
    if x < 0 { return log1p(-0.5 * erfc(-x / 2.0.squareRoot())) }
    if x < 36 { return log(0.5 * erfc(x / 2.0.squareRoot())) }
    // erfc underflows soon after; from here on this asymptotic series is exact to rounding.
    let inverse = 1 / (x * x)
    let series = inverse * (-1 + inverse * (3 + inverse * (-15 + inverse * (105 - inverse * 945))))
    return -0.5 * x * x - log(x * (2 * Double.pi).squareRoot()) + log1p(series)
}

/// Some x, at most 1e-6 above the least, with ln P(X > x) <= `logProbability` < 0 for X from
/// N(0, 1).
func normalQuantile(logOfTail logProbability: Double) -> Double {
    var (low, high) = (0.0, 1 + (-2 * logProbability).squareRoot())
    while high - low > 1e-6 {
        let middle = (low + high) / 2
        if logOfNormalTail(middle) <= logProbability { high = middle } else { low = middle }
    }
    return high
}
