import Foundation

/// Where the lines of a grid are, and the numbers beside them.
package struct Axis: Equatable {
    package let low: Double
    package let high: Double
    package let ticks: [Double]

    /// Round steps that hold `values`, about `count` of them.
    ///
    /// - Parameter isWhole: whether only whole numbers are numbered.
    package init(holding values: [Double], count: Int, isWhole: Bool = false) {
        let finite = values.filter(\.isFinite)
        let least = finite.min() ?? 0
        let most = finite.max() ?? 1
        let span = most > least ? most - least : max(abs(most) * 0.1, isWhole ? 1 : 1e-3)
        var step = Axis.roundStep(span / Double(max(1, count)))
        if isWhole { step = max(1, step.rounded()) }
        low = (least / step).rounded(.down) * step
        var top = (most / step).rounded(.up) * step
        if top <= low { top = low + step }
        high = top
        var ticks: [Double] = []
        var index = 0.0
        while low + index * step <= top + step * 1e-6, ticks.count < 40 {
            ticks.append(low + index * step)
            index += 1
        }
        self.ticks = ticks
    }

    /// 1, 2 or 5 times a power of ten, at least `step`.
    private static func roundStep(_ step: Double) -> Double {
        let power = pow(10, log10(step).rounded(.down))
        let factor = [1.0, 2, 5].first { $0 * power >= step * (1 - 1e-9) } ?? 10
        return factor * power
    }

    /// 0 at the low end, 1 at the high one.
    func share(of value: Double) -> Double { (value - low) / (high - low) }
}
