#!/usr/bin/env python3
"""What the agent's daemon takes of a device: its program, its memory, its start and its wake-ups, with a real coordinator.

The plan has 306,358 parameters (dense, 784-360-64-10), the device 1,000 images, the coordinator the configuration that
`init` writes, apart from the one that has agents come back each second for starts and rounds.

usage: Benchmarks/agent_footprint.py [--starts 21] [--rounds 3] [--seconds 120] [--json Benchmarks/latest.json]
                                                                                                    after `make build`
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAN = """
[plan]
name = "footprint"

[data]
format = "idx"
features_file = "images"
labels_file = "labels"
scale = 255
features = 784
classes = 10

[[model.layers]]
units = 360

[[model.layers]]
units = 64

[[model.layers]]
units = 10

[training]
epochs = 1
batch_size = 32
learning_rate = 0.02

[teacher]
hidden = [16]
epochs = 1
learning_rate = 0.05

[distillation]
epochs = 1
learning_rate = 0.05

[round]
agents = 1
minimum = 1
selection_seconds = 20
report_seconds = 120
lease_seconds = 20

[clipping]
norm = 1.0

[server]

[sealing]
max_accuracy_drop = 1
"""


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"`{' '.join(map(str, command))}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def write_images(directory, count, seed):
    draw = random.Random(seed)
    directory.mkdir(parents=True)
    (directory / "images").write_bytes(struct.pack(">IIII", 0x803, count, 28, 28) + draw.randbytes(784 * count))
    labels = bytes(draw.randrange(10) for _ in range(count))
    (directory / "labels").write_bytes(struct.pack(">II", 0x801, count) + labels)


class Fleet:
    """A coordinator and one device, below one directory."""

    def __init__(self, base, programs):
        self.base, self.programs = base, programs
        self.state = base / "coordinator"
        self.configuration = base / "device" / "agent.toml"
        self.process = None

    def administer(self, *words):
        return json.loads(run(self.programs / "tributary-coordinator", *words, "--dir", self.state, "--json"))

    def set_up(self):
        for part, count in (("public", 200), ("test", 200), ("device/data", 1000)):
            write_images(self.base / part, count, part)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        init = ("init", "--address", "127.0.0.1", "--port", port, "--http-port", 0, "--dashboard-port", 0, "--fleet", "bench")
        run(self.programs / "tributary-coordinator", *init, "--dir", self.state)
        self.file = self.state / "coordinator.toml"
        with open(self.file, "a") as file:
            file.write('\n[data.footprint]\npublic = "../public"\ntest = "../test"\n')
        self.configuration.write_text('[agent]\nstate_directory = "state"\n\n[data.footprint]\ndirectory = "data"\n')

    @contextlib.contextmanager
    def serving(self, come_back):
        """The coordinator, with its own idea of when agents come back or with `come_back` seconds."""
        whole = self.file.read_text()
        if come_back:
            self.file.write_text(f"{whole}\n[check_in]\ncome_back_seconds = {come_back}\n")
        with open(self.base / "coordinator.log", "wb") as log:
            serve = [self.programs / "tributary-coordinator", "serve", "--dir", self.state]
            process = subprocess.Popen(serve, stdout=log, stderr=log)
        try:
            self.await_(lambda: b"listening on" in (self.base / "coordinator.log").read_bytes(), "the coordinator listens")
            yield
        finally:
            end(process)
            self.file.write_text(whole)

    def enrol(self):
        plan = self.base / "footprint.toml"
        plan.write_text(PLAN)
        self.administer("plan", "apply", plan)
        token = self.administer("agent", "token")["token"]
        run(self.programs / "tributary-agent", "enroll", "--config", self.configuration, "--token", token)

    @property
    def command(self):
        return [self.programs / "tributary-agentd", "--config", self.configuration]

    @contextlib.contextmanager
    def daemon(self):
        with open(self.base / "agentd.log", "wb") as log:
            process = subprocess.Popen(self.command, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            end(process)

    def is_ready(self):
        agents = self.administer("agent", "list")["agents"]
        return any(plan["examples"] > 0 for agent in agents for plan in agent["plans"])

    def published(self):
        return sum(entry["published"] for entry in self.administer("round", "list", "footprint")["rounds"])

    def await_(self, condition, what):
        deadline = time.monotonic() + 120
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit(f"waited in vain for this: {what}; see {self.base}")
            time.sleep(0.05)


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def facts(pid):
    """What the kernel says of a process: KiB, and the times that its threads went to sleep."""
    found = {}
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("VmRSS", "VmHWM", "RssFile", "Threads"):
                found[name] = int(rest.split()[0])
            elif name == "voluntary_ctxt_switches":
                found["sleeps"] = found.get("sleeps", 0) + int(rest)
    return found


def start_seconds(fleet, is_cold):
    """From the start of the program until its first check-in has passed a relay to the coordinator.

    The relay sees ciphertext. The check-in ends the device's second burst: hello, answer, then certificate and check-in.
    """
    place = fleet.configuration.parent / "state" / "coordinator"
    address = place.read_text()
    host, port = address.strip().rsplit(":", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        place.write_text(f"127.0.0.1:{server.getsockname()[1]}\n")
        try:
            if is_cold:
                with open(fleet.command[0], "rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            begin = time.monotonic()
            process = subprocess.Popen(fleet.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            device = server.accept()[0]
            with device, socket.create_connection((host, int(port))) as coordinator:
                return relay(device, coordinator) - begin
        finally:
            process.kill()
            process.wait()
            place.write_text(address)


def relay(device, coordinator):
    """When the last byte before the coordinator's second burst had been passed on."""
    for side in (device, coordinator):
        side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bursts, speaker, last = 0, None, None
    while bursts < 2:
        ready, _, _ = select.select([device, coordinator], [], [], 30)
        for side in ready:
            data = side.recv(1 << 16)
            if not data:
                raise SystemExit("a start was cut short: one side closed the connection")
            bursts += side is coordinator and speaker is not coordinator
            speaker = side
            (coordinator if side is device else device).sendall(data)
            if side is device:
                last = time.monotonic()
    return last


def stripped_bytes(program):
    with tempfile.TemporaryDirectory() as directory:
        target = pathlib.Path(directory) / "stripped"
        run("strip", "-s", "-o", target, program)
        return target.stat().st_size


def measure(fleet, arguments):
    """name -> (value, unit, limit)"""
    results = {"agent_program_mib": (stripped_bytes(fleet.command[0]) / 2**20, "MiB", 10)}
    idle = []
    fleet.set_up()
    with fleet.serving(come_back=1):
        fleet.enrol()
        with fleet.daemon() as pid:
            fleet.await_(fleet.is_ready, "the agent is ready")
            time.sleep(3)
            idle.append(facts(pid)["VmRSS"])
            fleet.administer("round", "start", "footprint", "--rounds", str(arguments.rounds))
            fleet.await_(lambda: fleet.published() >= arguments.rounds, "the rounds are over")
            time.sleep(3)
            idle.append(facts(pid)["VmRSS"])
            results["agent_training_rss_mib"] = (facts(pid)["VmHWM"] / 1024, "MiB", 24)
        for name, is_cold in (("agent_start_ms", False), ("agent_start_uncached_ms", True)):
            times = [1000 * start_seconds(fleet, is_cold) for _ in range(arguments.starts)]
            print(f"{name}: best {min(times):.0f}, worst {max(times):.0f}")
            results[name] = (statistics.median(times), "ms", 150)
    with fleet.serving(come_back=None), fleet.daemon() as pid:
        time.sleep(5)
        before, begin = facts(pid)["sleeps"], time.monotonic()
        time.sleep(arguments.seconds)
        now = facts(pid)
        minutes = (time.monotonic() - begin) / 60
        results["agent_wakeups_per_minute"] = ((now["sleeps"] - before) / minutes, "1/min", 6)
        idle.append(now["VmRSS"])
    print(f"idle after start, rounds and {arguments.seconds:.0f} s of waiting: {idle} KiB")
    results["agent_idle_rss_mib"] = (max(idle) / 1024, "MiB", 14)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--starts", type=int, default=21)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--dir", type=pathlib.Path, default=ROOT / ".build" / "footprint")
    parser.add_argument("--json", type=pathlib.Path, help="a file of results to add these to")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.dir, ignore_errors=True)
    arguments.dir.mkdir(parents=True)
    results = measure(Fleet(arguments.dir, arguments.bin), arguments)
    entries = {
        name: {"value": value, "unit": unit, "limit": limit, "ratio": value / limit}
        for name, (value, unit, limit) in results.items()
    }
    for name, entry in entries.items():
        verdict = "met" if entry["ratio"] <= 1 else "MISSED"
        print(f"{name:26} {entry['value']:8.1f} {entry['unit']:6} at most {entry['limit']:5}  {verdict}")
    if arguments.json:
        all_entries = json.loads(arguments.json.read_text()) if arguments.json.exists() else {}
        all_entries.update(entries)
        arguments.json.write_text(json.dumps(dict(sorted(all_entries.items())), indent=2, separators=(",", " : ")) + "\n")


if __name__ == "__main__":
    main()
