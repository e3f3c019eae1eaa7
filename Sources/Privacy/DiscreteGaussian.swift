package import Federation

/// The discrete Gaussian on the integers: P(x) proportional to f(x) = e^(-x^2 / (2 sigma^2)),
/// sampled exactly, in integers, from random bits.
///
/// Rejection sampling, as in Canonne, Kamath and Steinke (2020), from other proposals than their
/// discrete Laplace. Why it is exact, with w the width of `GaussianProposals`' runs, s its scale
/// and W_k its weights, which add up to 2^64:
///
/// 1. A run k is drawn with probability W_k / 2^64: Walker's aliases split the 2^64 values of a
///    uniform word among the runs, W_k of them to run k.
/// 2. A proposal x is uniform in the run: w is a power of two, so some random bits are its offset.
/// 3. It is kept with probability s f(x) / W_k, at most 1 since W_k >= s f(k w) >= s f(x). Thus x
///    is proposed and kept with probability W_k / 2^64 * 1 / w * s f(x) / W_k = s f(x) / (2^64 w).
/// 4. The tail begins at T, where the runs end, in blocks of B >= sigma integers. A block j is
///    drawn with probability 2^-(j + 1) by fair coins, x uniform in it, and kept with probability
///    s f(x) 2^(j + 1) B / (w W), W being the tail's weight: again s f(x) / (2^64 w) in all. It is
///    at most 1 since f(T + j B) <= f(T) e^(-7.9 j) < f(T) 2^-j, and W >= 2 s f(T) B / w.
/// 5. So magnitudes have probabilities proportional to f. A fair sign makes them x and -x; 0 with
///    a minus is rejected, or 0 would come twice as often.
///
/// That the weights are no more precise than 64 bits is no error: they cancel in 3 and 4. Whether a
/// proposal is kept is decided by comparing a uniform real with an irrational number, bit by bit as
/// far as it takes (`ExponentialDecision`): 32 bits settle all but a few per cent, 64 bits all but
/// one proposal in 2^39, most of them the tail's, and integers of any length the rest. Nothing is
/// rounded in a decision, so there is no distance from the true distribution to add to delta.
package struct DiscreteGaussian: Sendable {
    /// The largest sigma: 2 sigma^2 must fit in 64 bits.
    package static let largestSigma: UInt64 = 1 << 31

    /// The standard deviation is `sigma` / `divisor`, in lattice steps; 0 means no noise.
    package let sigma: UInt64
    /// What `sigma` is divided by.
    package let divisor: UInt64
    fileprivate let proposals: GaussianProposals?

    /// The standard deviation `sigma` / `divisor` is 0 or at least 1/2; neither exceeds
    /// `largestSigma`.
    package init(sigma: UInt64, over divisor: UInt64 = 1) {
        precondition(sigma <= DiscreteGaussian.largestSigma, "sigma exceeds 2^31")
        precondition(divisor > 0, "sigma is divided by 0")
        precondition(sigma == 0 || divisor <= 2 * sigma, "sigma is below 1/2")
        self.sigma = sigma
        self.divisor = divisor
        proposals = sigma == 0 ? nil : GaussianProposals(sigma: sigma, over: divisor)
    }

    /// `count` independent samples.
    ///
    /// They are made in one batch, so that nobody can observe how long a single one took. `random`
    /// must be cryptographic wherever the samples protect data.
    package func samples(_ count: Int, random: inout some RandomSource) -> [Int64] {
        var samples = [Int64](repeating: 0, count: count)
        var stream = stream(of: count)
        stream.fill(&samples, random: &random)
        return samples
    }

    /// `count` samples that are wanted some at a time: what `samples` would return, of the same
    /// random bits.
    package func stream(of count: Int) -> SampleStream {
        // Two words a proposal, of which one in 30 is not kept.
        SampleStream(self, words: RandomWords(expected: 2 * count + count / 8))
    }

    /// Samples, drawn a batch at a time.
    package struct SampleStream: Sendable {
        private let distribution: DiscreteGaussian
        private var words: RandomWords

        fileprivate init(_ distribution: DiscreteGaussian, words: RandomWords) {
            self.distribution = distribution
            self.words = words
        }

        /// Replaces all of `samples` by the next ones.
        package mutating func fill(_ samples: inout [Int64], random: inout some RandomSource) {
            guard let proposals = distribution.proposals else {
                for index in samples.indices { samples[index] = 0 }
                return
            }
            // Local while it is read twice a sample: as a property it is checked for other owners
            // and other accesses each time, which takes three times as long as the sample.
            var words = RandomWords.none
            swap(&words, &self.words)
            defer { swap(&words, &self.words) }
            let distribution = distribution
            var filled = 0
            let count = samples.count
            samples.withUnsafeMutableBufferPointer { samples in
                while filled < count {
                    if let sample = distribution.proposal(of: proposals, &words, &random) {
                        samples[filled] = sample
                        filled += 1
                    }
                }
            }
        }
    }

    /// One proposal, if it is kept.
    @inline(__always)
    fileprivate func proposal(
        of proposals: GaussianProposals, _ words: inout RandomWords,
        _ random: inout some RandomSource
    ) -> Int64? {
        let choice = words.next(&random)
        let column = Int(choice >> 56)
        let isOwn = choice & (1 << 56 - 1) < proposals.cuts[column]
        let run = isOwn ? column : Int(proposals.others[column])
        // From below: the first 32 bits of V, the offset of at most 27, the sign.
        let detail = words.next(&random)
        let offset = (detail >> 32) & (1 << UInt64(proposals.widthBits) - 1)
        let isNegative = detail >> 63 == 1
        var magnitude = UInt64(run) << UInt64(proposals.widthBits) + offset
        if UInt32(truncatingIfNeeded: detail) >= proposals.certain[run] {
            guard
                let kept = uncertain(
                    magnitude, run: run, start: detail << 32, of: proposals, &words, &random)
            else { return nil }
            magnitude = kept
        }
        if magnitude == 0, isNegative { return nil }
        return isNegative ? -Int64(magnitude) : Int64(magnitude)
    }

    /// A proposal whose first 32 bits of V, `start`, do not say that it is kept; in the tail another
    /// takes its place.
    @inline(never)
    private func uncertain(
        _ magnitude: UInt64, run: Int, start: UInt64, of proposals: GaussianProposals,
        _ words: inout RandomWords, _ random: inout some RandomSource
    ) -> UInt64? {
        var magnitude = magnitude
        var shift = 0
        if run == proposals.runs {
            var block = 0
            while words.next(&random) & 1 == 0 { block += 1 }
            let offset = words.next(&random) & (1 << UInt64(proposals.tailBits) - 1)
            // `magnitude` is in the run that would follow the last.
            magnitude =
                UInt64(run) << UInt64(proposals.widthBits)
                + UInt64(block) << UInt64(proposals.tailBits) + offset
            shift = block + 1 + proposals.tailBits - proposals.widthBits
        }
        let decision = ExponentialDecision(
            weight: proposals.weights[run], scale: proposals.scale, shift: shift,
            numerator: magnitude * divisor, denominator: sigma)
        let word = start | words.next(&random) >> 32
        return decision.isBelow(word, &words, &random) ? magnitude : nil
    }
}
