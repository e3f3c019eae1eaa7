#!/usr/bin/env python3
"""Compares epsilons with those of Google's dp-accounting.

    accounting_agreement.py make SEED COUNT    prints random rows: one JSON object a line
    accounting_agreement.py check ROWS         reads such rows and computes them again

A row holds noise_multiplier, sampling_rate, rounds, delta, pld and rdp; checked are pld to 0.5 % or
0.001, and rdp to 1e-6, or no more where dp-accounting drops the order that would be best.
Exit status: 0 no difference, 1 a difference, 2 a file that cannot be used.
"""
import argparse
import json
import logging
import random
import sys
from importlib.metadata import version

from dp_accounting import dp_event
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant

MOST_EPSILON = 60  # above it dp-accounting's grids take long


def epsilons(row):
    """What dp-accounting says of a row: by PLD and by RDP."""
    event = dp_event.GaussianDpEvent(row["noise_multiplier"])
    if row["sampling_rate"] < 1:
        event = dp_event.PoissonSampledDpEvent(row["sampling_rate"], event)
    rdp = RdpAccountant()
    rdp.compose(event, row["rounds"])
    fast = float(rdp.get_epsilon(row["delta"]))
    if fast > MOST_EPSILON:
        return None, fast
    pld = PLDAccountant()
    pld.compose(event, row["rounds"])
    return float(pld.get_epsilon(row["delta"])), fast


def random_rows(seed, count):
    """Rows about which there is something to say."""
    dice = random.Random(seed)
    found = 0
    while found < count:
        row = {
            "noise_multiplier": round(0.6 * 10 ** dice.uniform(0, 1), 4),
            "sampling_rate": dice.choice([1, round(10 ** dice.uniform(-2.5, 0), 5)]),
            "rounds": int(10 ** dice.uniform(0, 3.3)),
            "delta": 10 ** dice.uniform(-9, -4),
        }
        pld, rdp = epsilons(row)
        if pld is not None and pld > 0.05:
            found += 1
            yield row | {"pld": pld, "rdp": rdp}


def differences(row):
    """What is wrong with a row, in words."""
    pld, rdp = epsilons(row)
    if pld is None:
        yield f"an epsilon of {rdp} is too large for this comparison"
        return
    if abs(row["pld"] - pld) > max(1e-3, 0.005 * pld):
        yield f"pld {row['pld']}, dp-accounting {pld}"
    if row["rdp"] > rdp + 1e-6 or row["rdp"] < pld - 1e-3:
        yield f"rdp {row['rdp']}, dp-accounting {rdp}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make")
    make.add_argument("seed", type=int)
    make.add_argument("count", type=int)
    check = commands.add_parser("check")
    check.add_argument("rows")
    arguments = parser.parse_args()
    # It warns of every order that it drops.
    logging.disable(logging.WARNING)
    if arguments.command == "make":
        for row in random_rows(arguments.seed, arguments.count):
            print(json.dumps(row))
        return 0
    with open(arguments.rows, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    found = [f"{row}: {words}" for row in rows for words in differences(row)]
    print("\n".join(found) or f"{len(rows)} rows agree with dp-accounting {version('dp-accounting')}")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot compare: {error}", file=sys.stderr)
        sys.exit(2)
