#!/usr/bin/env python3
"""Computes with Google's dp-accounting what a population has spent, from an exported ledger alone.

usage: audit_ledger.py LEDGER        prints {"charges", "epsilon"} at the ledger's delta

LEDGER is what `tributary-coordinator privacy export` wrote.
"""
import json
import sys

from dp_accounting import dp_event
from dp_accounting.pld import PLDAccountant


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ledger = json.load(file)
    accountant = PLDAccountant()
    for charge in ledger["charges"]:
        event = dp_event.GaussianDpEvent(charge["noise_multiplier"])
        if charge["sampling_rate"] < 1:
            event = dp_event.PoissonSampledDpEvent(charge["sampling_rate"], event)
        accountant.compose(event)
    epsilon = float(accountant.get_epsilon(ledger["delta"]))
    print(json.dumps({"charges": len(ledger["charges"]), "epsilon": epsilon}))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError, IndexError) as error:
        print(f"cannot audit: {error}", file=sys.stderr)
        sys.exit(2)
