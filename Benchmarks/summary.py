#!/usr/bin/env python3
"""Prints Benchmarks/latest.json as one table: what was measured, what it is compared with, and the ratio of the two.

Entries of earlier runs stay in that file; with --before, only what is new since then.

usage: Benchmarks/summary.py [--before FILE]
"""
import argparse
import json
import pathlib

LATEST = pathlib.Path(__file__).resolve().parent / "latest.json"
# What is asked of a ratio: at least, or at most.
AT_LEAST = {
    "conv_int8_16x16x32_3x3x64": 0.55,
    "fold_bandwidth": 0.70,
    "gemm_int8_32x128x640": 0.55,
    "gemm_int8_512": 0.75,
    "gemv_int8_256": 0.83,
    "ingest_tls": 0.20,
    "log_append_million": 0.5,
    "log_node_hashes_per_second": 0.2,
    "log_proofs_per_second": 0.5,
    "train_step_cnn_vs_pytorch": 1,
}
AT_MOST = {
    "agent_idle_rss_mib": 1,
    "agent_program_mib": 1,
    "agent_start_ms": 1,
    "agent_start_uncached_ms": 1,
    "agent_training_rss_mib": 1,
    "agent_wakeups_per_minute": 1,
    "log_append_million_reads": 1,
    "simulate_over_bare_loop": 1.25,
    "verify_model_10_mb": 1,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--before", type=pathlib.Path, help="the file as it was before the run; what is unchanged is left out")
    arguments = parser.parse_args()
    latest = json.loads(LATEST.read_text())
    before = {}
    if arguments.before and arguments.before.exists():
        before = json.loads(arguments.before.read_text())
    print(f"{'benchmark':32} {'value':>12} {'limit':>12}  {'unit':10} {'ratio':>7}  {'asked':>8}")
    for name, entry in sorted(latest.items()):
        if before.get(name) == entry:
            continue
        asked, word = "", ""
        if name in AT_LEAST:
            asked = f">= {AT_LEAST[name]:g}"
            word = "" if entry["ratio"] >= AT_LEAST[name] else "  MISSED"
        elif name in AT_MOST:
            asked = f"<= {AT_MOST[name]:g}"
            word = "" if entry["ratio"] <= AT_MOST[name] else "  MISSED"
        print(
            f"{name:32} {entry['value']:12.4g} {entry['limit']:12.4g}  {entry['unit']:10} {entry['ratio']:7.3f}  {asked:>8}{word}"
        )


if __name__ == "__main__":
    main()
