#!/usr/bin/env python3
"""What a federated round costs besides training: 12 real agents and a real coordinator on loopback, TLS and disk as in the field.

A round lasts from the version before it to its own; its overhead is that time less the longest training of any of its
agents. Both are taken from the lines that the daemons log, at the moment in which this program receives them. Agents train
one after another where there are more of them than cores, so what an agent waits for a core counts as training only once it
has begun.

usage: Benchmarks/round_overhead.py [--agents 12] [--rounds 20] [--json FILE]     after `make build`
"""
import argparse
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Benchmarks" / "peers"))
import workload  # noqa: E402

TEST_IMAGES = 2000


class Watched:
    """Daemons whose log lines are timed as they come."""

    def __init__(self, trace):
        self.trace = trace
        self.selector = selectors.DefaultSelector()
        self.processes = []

    def start(self, name, command):
        process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        os.set_blocking(process.stdout.fileno(), False)
        self.selector.register(process.stdout, selectors.EVENT_READ, (name, [b""]))
        self.processes.append((process, name))
        return process

    def lines(self, seconds):
        """(time, name, line) as they come, for at most so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, _ in self.selector.select(max(0, end - time.monotonic())):
                now = time.monotonic()
                name, rest = key.data
                read = os.read(key.fd, 1 << 16)
                if not read:
                    raise SystemExit(f"{name} ended by itself: {rest[0].decode(errors='replace')}")
                *whole, rest[0] = (rest[0] + read).split(b"\n")
                for line in whole:
                    line = line.decode(errors="replace")
                    if self.trace:
                        print(f"{now:.6f} {name} {line}", file=self.trace)
                    yield now, name, line

    def cpu_seconds(self, name):
        """What the daemons of that name have taken of the processor."""
        total = 0
        for process, who in self.processes:
            if who.startswith(name):
                fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def stop(self):
        for process, _ in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process, _ in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"`{' '.join(map(str, command))}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lay_out(base, agents):
    """The first images of the training set are public, the others dealt out evenly."""
    images, labels, test_images, test_labels = workload.fashion_mnist()
    public = 1000
    workload.write_examples(base / "public", images[:public], labels[:public])
    workload.write_examples(base / "test", test_images[:TEST_IMAGES], test_labels[:TEST_IMAGES])
    share = 600
    for number in range(agents):
        rows = slice(public + number * share, public + (number + 1) * share)
        workload.write_examples(base / f"agent-{number}" / "data", images[rows], labels[rows])


def start_fleet(base, bin, agents, plan, watched):
    coordinator = base / "coordinator"
    tool = bin / "tributary-coordinator"
    port = free_port()
    run(tool, "init", "--address", "127.0.0.1", "--port", port, "--http-port", 0, "--dashboard-port", 0, "--fleet", "overhead", "--dir", coordinator)
    with open(coordinator / "coordinator.toml", "a") as file:
        file.write('\n[data.workload]\npublic = "../public"\ntest = "../test"\n')
    watched.start("coordinator", [tool, "serve", "--dir", coordinator])
    wait_for(watched, "coordinator", "listening on", 1)
    run(tool, "plan", "apply", plan, "--dir", coordinator)
    for number in range(agents):
        home = base / f"agent-{number}"
        (home / "agent.toml").write_text('[agent]\nstate_directory = "state"\n\n[data.workload]\ndirectory = "data"\n')
        token = json.loads(run(tool, "agent", "token", "--uses", 1, "--dir", coordinator, "--json"))["token"]
        run(bin / "tributary-agent", "enroll", "--config", home / "agent.toml", "--token", token)
        watched.start(f"agent-{number}", [bin / "tributary-agentd", "--config", home / "agent.toml"])
    wait_for(watched, "agent", "model adopted", agents)
    return tool, coordinator


def wait_for(watched, name, words, count):
    for _, who, line in watched.lines(60):
        if who.startswith(name) and words in line:
            count -= 1
            if count == 0:
                return
    raise SystemExit(f"{name} did not log '{words}' within a minute")


def measure(watched, rounds):
    """For each round its seconds, the longest training, and when in it each thing happened first and last."""
    began, published, trained = {}, {0: None}, {}
    moments = {}
    for now, who, line in watched.lines(20 + 2 * rounds):
        found = re.search(r" round=(\d+)\.\d+", line)
        if not found:
            continue
        number = int(found[1])
        for words in ("round opened", "training", "trained", "update settled", "version published"):
            if re.search(rf" {words}( |$)", line):
                moments.setdefault(number, {}).setdefault(words, []).append(now)
                if words == "training":
                    began[who, number] = now
                elif words == "trained":
                    trained.setdefault(number, []).append(now - began[who, number])
        if "version published" in line:
            published[number] = now
            if number == rounds:
                break
    if rounds not in published:
        raise SystemExit(f"{len(published) - 1} of {rounds} rounds were published in the time that all should take")
    table = []
    for number in range(2, rounds + 1):
        start = published[number - 1]
        table.append(
            {
                "round_seconds": published[number] - start,
                "training_seconds": max(trained[number]),
                **{
                    f"{words}: {which}": pick(moments[number][words]) - start
                    for words in moments[number]
                    for which, pick in (("first", min), ("last", max))
                },
            }
        )
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--agents", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--plan", type=pathlib.Path)
    parser.add_argument("--dir", type=pathlib.Path, default=ROOT / ".build" / "overhead")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--trace", type=pathlib.Path, help="a file for all lines that are logged, with their times")
    arguments = parser.parse_args()
    base = arguments.dir
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    lay_out(base, arguments.agents)
    plan = base / "workload.toml"
    plan.write_text(workload.plan(agents=arguments.agents))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    watched = Watched(open(arguments.trace, "w", buffering=1) if arguments.trace else None)
    try:
        tool, coordinator = start_fleet(base, arguments.bin, arguments.agents, plan, watched)
        run(tool, "round", "start", "workload", "--rounds", arguments.rounds, "--dir", coordinator)
        before = {name: watched.cpu_seconds(name) for name in ("coordinator", "agent")}
        table = measure(watched, arguments.rounds)
        cpu = {name: (watched.cpu_seconds(name) - before[name]) / arguments.rounds for name in before}
    finally:
        watched.stop()
    overheads = [row["round_seconds"] - row["training_seconds"] for row in table]
    print(f"{arguments.agents} agents, {len(table)} rounds, medians in milliseconds")
    for name in table[0]:
        print(f"  {name:28} {1000 * statistics.median(row[name] for row in table):8.1f}")
    print(f"  overhead                     {1000 * statistics.median(overheads):8.1f}   [{1000 * min(overheads):.1f} to {1000 * max(overheads):.1f}]")
    for name, seconds in cpu.items():
        print(f"  processor time of {name + 's' * (name == 'agent'):11} {1000 * seconds:7.1f}   a round")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
