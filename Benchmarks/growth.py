#!/usr/bin/env python3
"""How time and memory of a whole round grow with the agents and with the parameters, by simulation; how the memory of a
coordinator grows with the agents that are connected to it, with --coordinator (minutes: each of them enrols).

Every agent takes part in every round and has as many images, whatever their number, and nothing is evaluated, so that the
work of a round is proportional to the agents and, but for the images' own cost, to the parameters. The exponent k of
cost = c n^k is fitted to the logarithms; beside it that of the last decade, which fixed costs touch least.

usage: Benchmarks/growth.py [--coordinator FLEETLOAD] [--json FILE]     after `make build`
"""
import argparse
import json
import math
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Benchmarks" / "peers"))
import workload  # noqa: E402

AGENTS = (10, 100, 1_000, 10_000)
PARAMETERS = (10_000, 100_000, 1_000_000, 10_000_000)
IMAGES_AN_AGENT = 6
INPUTS = 784
# Each unit of the hidden layer has a weight an input, a weight a class and a bias.
PARAMETERS_A_UNIT = INPUTS + workload.CLASSES + 1


def plan(directory, name, agents, hidden):
    text = workload.plan(agents=agents).replace(f"units = {workload.HIDDEN}\n", f"units = {hidden}\n")
    path = directory / f"{name}.toml"
    path.write_text(text)
    return path


def simulated(tool, work, name, agents, hidden, rounds):
    """Seconds a round and the peak memory in MiB."""
    images, labels, _, _ = workload.fashion_mnist()
    count = agents * IMAGES_AN_AGENT
    shutil.rmtree(work / name, ignore_errors=True)
    workload.write_examples(work / name / "train", images[:count], labels[:count])
    command = [
        tool, "simulate", plan(work, name, agents, hidden), "--data", work / name, "--cold", "--json",
        "--agents", agents, "--rounds", rounds, "--runs", work / "runs",
    ]  # fmt: skip
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=work)
    if done.returncode:
        raise SystemExit(f"`{' '.join(map(str, command))}` failed:\n{done.stderr[-2000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    return result["rounds_seconds"] / rounds, result["peak_memory_mib"]


def idle_memory(load, tool, work, agents):
    """MiB of a coordinator to which so many agents are connected, by FleetLoad."""
    done = subprocess.run([load, tool, work / "load", "idle", str(agents)], capture_output=True, text=True)
    found = re.search(r"idle: memory ([0-9.]+)", done.stdout + done.stderr)
    if not found:
        raise SystemExit(f"FleetLoad idle {agents} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return float(found[1])


def exponent(sizes, costs):
    """The slope of log cost over log size, by least squares."""
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(cost) for cost in costs]).slope


def show(title, sizes, columns):
    """One table; returns it with its exponents."""
    print(f"\n{title}\n\n| | {' | '.join(f'{size:,}' for size in sizes)} | exponent | of the last decade |")
    print("|---" * (len(sizes) + 3) + "|")
    rows = {}
    for name, costs in columns.items():
        whole, last = exponent(sizes, costs), exponent(sizes[-2:], costs[-2:])
        print(f"| {name} | {' | '.join(f'{cost:.3g}' for cost in costs)} | {whole:.2f} | {last:.2f} |")
        rows[name] = {"costs": dict(zip(map(str, sizes), costs)), "exponent": whole, "exponent_of_last_decade": last}
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".build" / "growth")
    parser.add_argument("--coordinator", type=pathlib.Path, metavar="FLEETLOAD", help="the program that `make load` builds")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    tool = arguments.bin.absolute() / "tributary-coordinator"
    work = arguments.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    tables = {}
    hidden = round(100_000 / PARAMETERS_A_UNIT)
    runs = [simulated(tool, work, f"agents-{n}", n, hidden, max(3, 300 // n)) for n in AGENTS]
    tables["agents"] = show(
        f"agents a round, 100,000 parameters, {IMAGES_AN_AGENT} images each", AGENTS,
        {"seconds a round": [run[0] for run in runs], "peak MiB": [run[1] for run in runs]},
    )  # fmt: skip
    runs = [simulated(tool, work, f"parameters-{n}", 10, round(n / PARAMETERS_A_UNIT), max(3, 3_000_000 // n)) for n in PARAMETERS]
    tables["parameters"] = show(
        f"parameters, 10 agents a round, {IMAGES_AN_AGENT} images each", PARAMETERS,
        {"seconds a round": [run[0] for run in runs], "peak MiB": [run[1] for run in runs]},
    )  # fmt: skip
    if arguments.coordinator:
        memory = [idle_memory(arguments.coordinator.absolute(), tool.absolute(), work, n) for n in AGENTS]
        tables["connected"] = show("agents connected to a coordinator and idle", AGENTS, {"MiB": memory})
    if arguments.json:
        arguments.json.write_text(json.dumps(tables, indent=1) + "\n")


if __name__ == "__main__":
    main()
