#!/usr/bin/env python3
"""The same workload with this project, with Flower and with pfl, one after the other on this machine.

First every one of them runs with several seeds: all have to reach the same accuracy within noise, or this program ends. Then
they are timed in turn, on an otherwise idle machine if the figures are to mean anything. The table shows the rounds alone,
as each reports them, and the whole command; written to Benchmarks/peers.json as well.

usage: Benchmarks/peers/compare.py --environments .venv-peers [--runs 3] [--only tributary pfl]     see `make bench-peers`
"""
import argparse
import ctypes
import fcntl
import json
import math
import os
import pathlib
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

import numpy_student
import workload

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CLONE_NEWNET = 0x40000000
PR_SET_CHILD_SUBREAPER = 36
TIMEOUT_SECONDS = 600
# Small products: a second thread helps few of them, and two that wait for each other on a busy machine cost minutes.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
libc = ctypes.CDLL(None, use_errno=True)


def alone_on_loopback():
    """In the child: a network of its own with nothing but loopback, where that is allowed. Ray listens on every interface."""
    if libc.unshare(CLONE_NEWNET) != 0:
        return
    with socket.socket() as any_socket:
        up_and_running = 0x49
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", up_and_running))


def descendants():
    """Every process that this one started, and whatever those did."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [os.getpid()]
    while todo:
        new = children.get(todo.pop(), [])
        found += new
        todo += new
    return found


def memory_mib():
    """What the descendants occupy, pages that several share counted once."""
    total = 0
    for process in descendants():
        try:
            lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def end_descendants():
    """Ends what a command left behind, and waits for it."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        for process in descendants():
            try:
                os.kill(process, kind)
            except ProcessLookupError:
                pass
        for _ in range(30):
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            time.sleep(0.2)


def measured(command, environment, watch_memory, directory=None):
    """What a command printed last as a result, with the seconds that it took, and its memory if that is asked for."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], env={**inherited, **environment}, preexec_fn=alone_on_loopback, cwd=directory,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    os.set_blocking(process.stdout.fileno(), False)
    text, peak = b"", 0
    while process.poll() is None:
        time.sleep(0.2 if watch_memory else 0.02)
        text += process.stdout.read() or b""
        if watch_memory:
            peak = max(peak, memory_mib())
        if time.perf_counter() - began > TIMEOUT_SECONDS:
            end_descendants()
            raise SystemExit(f"`{command[0]}` took more than {TIMEOUT_SECONDS} s")
    wall = time.perf_counter() - began
    text += process.stdout.read() or b""
    end_descendants()
    lines = [line for line in text.decode(errors="replace").splitlines() if "RESULT {" in line or line.startswith("{")]
    if process.returncode or not lines:
        raise SystemExit(f"`{' '.join(map(str, command))}` failed:\n{text.decode(errors='replace')[-3000:]}")
    result = json.loads(lines[-1][lines[-1].index("{") :])
    return {
        "rounds_seconds": result.get("seconds", result.get("wall_seconds")) or wall,
        "command_seconds": wall,
        "accuracy": result.get("accuracy", result.get("accuracy_last")),
        # Ours says itself what the others have to be watched for.
        "peak_mib": result.get("peak_memory_mib", peak),
    }


class Tributary:
    name = "tributary"

    def __init__(self, arguments, work):
        self.tool = arguments.bin.absolute() / "tributary-coordinator"
        self.data = work / "tributary"
        self.records = work / "runs"
        if not (self.data / "train").exists():
            images, labels, test_images, test_labels = workload.fashion_mnist()
            workload.write_examples(self.data / "train", images, labels)
            workload.write_examples(self.data / "test", test_images, test_labels)

    def run(self, seed, watch_memory):
        command = [
            self.tool, "simulate", workload.PLAN, "--data", self.data, "--cold", "--json", "--seed", 1 + seed,
            "--agents", workload.CLIENTS, "--rounds", workload.ROUNDS, "--runs", self.records,
        ]  # fmt: skip
        return measured(command, {}, watch_memory, directory=self.data)


class Numpy:
    """No framework: a plain loop."""

    name = "numpy loop"

    def __init__(self, arguments, work):
        self.python = arguments.environments / "flower" / "bin" / "python"
        self.data = work / "arrays"

    def run(self, seed, watch_memory):
        return measured([self.python, HERE / "numpy_student.py", self.data, seed], ONE_THREAD, watch_memory)


class Pfl:
    name = "pfl"
    # Which is the faster depends on the machine.
    threads = (1, 2)

    def __init__(self, arguments, work):
        self.python = arguments.environments / "pfl" / "bin" / "python"
        self.data = work / "arrays"

    def run(self, seed, watch_memory, threads=1):
        environment = {name: str(threads) for name in ONE_THREAD}
        return measured([self.python, HERE / "pfl_student.py", self.data, seed], environment, watch_memory)


class Flower:
    name = "flower"

    def __init__(self, arguments, work):
        self.bin = arguments.environments / "flower" / "bin"
        self.data = work / "arrays"
        self.app = work / "flower-app"
        self.home = work / "flower-home"

    def stage(self):
        for directory in (self.app, self.home):
            shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(HERE / "flower", self.app)
        for module in ("numpy_student.py", "workload.py"):
            shutil.copy(HERE / module, self.app)
        self.home.mkdir()
        (self.home / "config.toml").write_text(
            '[superlink]\ndefault = "simulation"\n[superlink.simulation]\naddress = ":local:"\n'
            f"options.num-supernodes = {workload.CLIENTS}\n"
            'options.backend.name = "ray"\noptions.backend.client-resources.num-cpus = 1\n'
        )

    def run(self, seed, watch_memory):
        self.stage()
        environment = {
            **ONE_THREAD,
            "FLWR_HOME": str(self.home), "FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1",
            "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1", "RAY_USAGE_STATS_ENABLED": "0",
            "PATH": f"{self.bin}:{os.environ['PATH']}",
        }  # fmt: skip
        settings = f"data='{self.data}' seed={seed}"
        command = [self.bin / "flwr", "run", self.app, "simulation", "--stream", "--run-config", settings]
        return measured(command, environment, watch_memory)


PEERS = (Tributary, Numpy, Pfl, Flower)
# What is asked of ours: how many times as fast as them it is to be, and in how much memory.
ASKED_TIMES = {Pfl.name: 5, Flower.name: 12}
ASKED_MIB = 150


def check_accuracy(runs):
    """Every one is as accurate as the loop without a framework, but for what seeds do to a mean."""
    means = {name: statistics.mean(run["accuracy"] for run in rows) for name, rows in runs.items()}
    spread = max(statistics.stdev(run["accuracy"] for run in rows) for rows in runs.values())
    tolerance = max(0.005, 3 * spread / len(next(iter(runs.values()))) ** 0.5)
    print(f"accuracy: {', '.join(f'{name} {mean:.4f}' for name, mean in means.items())}; tolerated difference {tolerance:.4f}")
    low = [name for name, mean in means.items() if mean < max(means.values()) - tolerance]
    if low:
        raise SystemExit(f"not equal work: {', '.join(low)} is less accurate, so its time says nothing")


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def timed_in_turn(peers, runs):
    """The runs of each; of one that has a choice of threads those with as many as are fastest, and how many those are."""
    timed = {(peer, threads): [] for peer in peers for threads in getattr(peer, "threads", (None,))}
    for seed in range(runs):
        for (peer, threads), done in timed.items():
            done.append(peer.run(seed, watch_memory=False, **({"threads": threads} if threads else {})))
    fastest = {}
    for (peer, threads), done in timed.items():
        before = fastest.get(peer.name)
        if before is None or median(done, "rounds_seconds") < median(before[0], "rounds_seconds"):
            fastest[peer.name] = (done, threads)
    return fastest


def missed(name, row):
    """What a row misses of what is asked; empty when that is nothing."""
    words = []
    if row.get("times_ours", math.inf) < ASKED_TIMES.get(name, 0):
        words.append(f"{ASKED_TIMES[name]} times asked: missed")
    if name == Tributary.name and row["peak_mib"] >= ASKED_MIB:
        words.append(f"less than {ASKED_MIB} MiB asked: missed")
    return "; ".join(words)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--environments", type=pathlib.Path, required=True)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".build" / "peers")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[peer.name for peer in PEERS], default=[peer.name for peer in PEERS])
    parser.add_argument("--output", type=pathlib.Path, default=HERE.parent / "peers.json")
    arguments = parser.parse_args()
    arguments.environments = arguments.environments.absolute()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what a command leaves behind comes to this process
    work = arguments.work.absolute()
    (work / "arrays").mkdir(parents=True, exist_ok=True)
    numpy_student.prepare(work / "arrays")
    peers = [peer(arguments, work) for peer in PEERS if peer.name in arguments.only]
    seeds = range(max(3, arguments.runs))
    accurate = {peer.name: [peer.run(seed, watch_memory=True) for seed in seeds] for peer in peers}
    check_accuracy(accurate)
    timed = timed_in_turn(peers, arguments.runs)
    ours, _ = timed.get(Tributary.name, (None, None))
    rows = {}
    for name, (runs, threads) in timed.items():
        rows[name] = {
            "rounds_seconds": round(median(runs, "rounds_seconds"), 3),
            "command_seconds": round(median(runs, "command_seconds"), 3),
            "accuracy": round(statistics.mean(run["accuracy"] for run in accurate[name]), 4),
            "peak_mib": round(median(accurate[name], "peak_mib")),
        }
        if threads:
            rows[name]["threads"] = threads
        if ours:
            # Our whole command against their rounds alone: starting Ray or importing PyTorch is not held against them.
            rows[name]["times_ours"] = round(rows[name]["rounds_seconds"] / median(ours, "command_seconds"), 2)
    print(f"\nmedians of {arguments.runs} runs in turn\n")
    print("| | rounds, s | command, s | rounds / our command | accuracy | peak memory, MiB |\n|---|---|---|---|---|---|")
    for name, row in rows.items():
        label = f"{name}, {row['threads']} thread{'s' * (row['threads'] > 1)}" if "threads" in row else name
        print(
            f"| {label} | {row['rounds_seconds']:.2f} | {row['command_seconds']:.2f} | {row.get('times_ours', '-')} "
            f"| {row['accuracy']:.4f} | {row['peak_mib']} |"
        )
    print()
    for name, row in rows.items():
        if missed(name, row):
            print(f"{name}: {missed(name, row)}")
    arguments.output.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
