#!/usr/bin/env python3
"""Compares discrete Gaussian samples with those of opendp's sampler.

    noise_agreement.py SAMPLES SIGMA

SAMPLES holds signed 64-bit integers, little-endian. Two-sample chi-square over cells of about equal
weight.
Exit status: 0 no difference at p = 1e-6, 1 a difference, 2 a file that cannot be used.
"""
import argparse
import math
import sys
from importlib.metadata import version

import numpy as np
import opendp.prelude as dp

DRAWN = 60_000
CELLS = 40
LEAST = 1e-6


def opendp_samples(count, sigma):
    """What opendp adds to zeros."""
    dp.enable_features("contrib")
    measurement = dp.m.make_gaussian(
        dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float), scale=sigma
    )
    return np.array(measurement([0] * count), dtype=np.int64)


def p_value(statistic, freedom):
    """Of a chi-square statistic, in Wilson and Hilferty's approximation."""
    spread = 2 / (9 * freedom)
    normal = ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return math.erfc(normal / math.sqrt(2)) / 2


def two_sample_p(ours, theirs):
    """How likely two samples of one distribution differ as much as these."""
    pooled = np.sort(np.concatenate([ours, theirs]))
    # Distinct edges: of few values each is a cell of its own.
    edges = np.unique(pooled[np.linspace(0, len(pooled) - 1, CELLS + 1).astype(int)[1:-1]])
    one = np.bincount(np.searchsorted(edges, ours, side="left"), minlength=len(edges) + 1)
    other = np.bincount(np.searchsorted(edges, theirs, side="left"), minlength=len(edges) + 1)
    seen = one + other > 0
    one, other = one[seen], other[seen]
    ratio = math.sqrt(len(theirs) / len(ours))
    statistic = (((one * ratio) - (other / ratio)) ** 2 / (one + other)).sum()
    return p_value(statistic, len(one) - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples")
    parser.add_argument("sigma", type=float)
    arguments = parser.parse_args()
    ours = np.fromfile(arguments.samples, dtype="<i8")
    if len(ours) < DRAWN:
        raise ValueError(f"{arguments.samples} holds only {len(ours)} samples")
    theirs = opendp_samples(DRAWN, arguments.sigma)
    p = two_sample_p(ours, theirs)
    print(f"{len(ours)} samples, {len(theirs)} of opendp {version('opendp')}: p = {p:.3g}")
    return 0 if p >= LEAST else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        print(f"cannot compare: {error}", file=sys.stderr)
        sys.exit(2)
