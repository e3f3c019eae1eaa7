#!/usr/bin/env python3
"""Runs a fleet over a network that fails, kills its processes again and again, and waits until every round has ended.

usage: fleet_faults.py --programs DIRECTORY --coordinator DIRECTORY --agent CONFIGURATION... --plan NAME...
                       [--seconds 40] [--seed 1]
       fleet_faults.py --probe

Coordinator and agents each live in a network namespace, joined by a bridge. An agent loses 5 % of its packets in both
directions (nft), reaches the coordinator through a relay that delays every byte by 200 ms, and one process dies by kill
-9 every few seconds. In the middle two agents are cut off for 20 s. Rounds of every plan are started all the while.
Then the kills end, and every round has to end too: over the same bad network.

All of it is in namespaces of its own (unshare), which end with this process, and so does everything in them. `--probe`
prints why this cannot be done here, or nothing. Prints a JSON object. Exit status 0 when all did as they should.
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

LOSS_PERCENT = 5
DELAY_SECONDS = 0.2
PARTITION_SECONDS = 20
# With some kills before and after the partition.
LEAST_SECONDS = PARTITION_SECONDS + 10
DRAIN_SECONDS = 180
STOP_SECONDS = 20
COORDINATOR = "coordinator"
COORDINATOR_HOST = "10.77.0.1"
ENDED = ("published", "abandoned")
UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
# What the tools say where a kernel or a container has no such network to give.
FORBIDDEN = ("Operation not permitted", "Operation not supported", "Permission denied")


class Failure(Exception):
    pass


def tool(*words, text=None):
    subprocess.run(words, input=text, text=True, check=True, capture_output=True)


def enter_namespaces():
    """Starts this program again in namespaces of its own, and never returns."""
    os.environ["FLEET_FAULTS_INSIDE"] = "yes"
    os.execvp(UNSHARE[0], [*unshare_words(), sys.executable, *sys.argv])


def unshare_words():
    return [*UNSHARE, *([] if os.geteuid() == 0 else ["--map-root-user"])]


def probe():
    """Why there can be no such network here; None when there can."""
    missing = [name for name in ("unshare", "ip", "nft") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} is missing: run `make deps`"
    try:
        tool(*unshare_words(), sys.executable, __file__, "--probe-inside")
    except subprocess.CalledProcessError as error:
        if any(sign in error.stderr for sign in FORBIDDEN):
            return error.stderr.strip()
        raise Failure(error.stderr.strip()) from error
    return None


def probe_inside():
    try:
        Network(["probe"]).lose(LOSS_PERCENT)
    except subprocess.CalledProcessError as error:
        raise Failure(f"`{' '.join(error.cmd)}`: {error.stderr.strip()}") from error


class Network:
    """A namespace for the coordinator and one for each agent, on one bridge."""

    def __init__(self, agents):
        self.agents = agents
        tool("mount", "-t", "tmpfs", "none", "/run")  # where `ip netns` keeps names: not the machine's own
        tool("ip", "link", "add", "hub", "type", "bridge")
        tool("ip", "link", "set", "hub", "up")
        self.add(COORDINATOR, COORDINATOR_HOST)
        for number, name in enumerate(agents):
            self.add(name, f"10.77.0.{10 + number}", number)

    def add(self, name, host, number="c"):
        tool("ip", "netns", "add", name)
        tool("ip", "link", "add", f"port{number}", "type", "veth", "peer", "name", "line", "netns", name)
        tool("ip", "link", "set", f"port{number}", "master", "hub", "up")
        tool("ip", "-n", name, "address", "add", f"{host}/24", "dev", "line")
        for device in ("lo", "line"):
            tool("ip", "-n", name, "link", "set", device, "up")

    def rules(self, name, text):
        tool("ip", "netns", "exec", name, "nft", "-f", "-", text=text)

    def lose(self, percent):
        """Has every agent lose that share of its packets, in and out."""
        for name in self.agents:
            self.rules(name, f"""
                table inet faults {{
                    chain cut_in {{ type filter hook input priority 0; }}
                    chain cut_out {{ type filter hook output priority 0; }}
                    chain arriving {{
                        type filter hook input priority 1;
                        iifname "line" numgen random mod 100 < {percent} counter drop
                    }}
                    chain leaving {{
                        type filter hook output priority 1;
                        oifname "line" numgen random mod 100 < {percent} counter drop
                    }}
                }}
                """)  # fmt: skip

    def cut(self, names):
        for name in names:
            self.rules(name, 'add rule inet faults cut_in iifname "line" drop\n'
                       'add rule inet faults cut_out oifname "line" drop\n')  # fmt: skip

    def heal(self):
        for name in self.agents:
            self.rules(name, "flush chain inet faults cut_in\nflush chain inet faults cut_out\n")

    def lost(self):
        """Packets that the loss has cost so far."""
        total = 0
        for name in self.agents:
            words = ["ip", "netns", "exec", name, "nft", "-j", "list", "table", "inet", "faults"]
            listed = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
            rules = [entry["rule"] for entry in listed["nftables"] if "rule" in entry]
            counters = [part["counter"] for rule in rules for part in rule["expr"] if "counter" in part]
            total += sum(counter["packets"] for counter in counters)
        return total


class Daemon:
    """A program that is started again after it was killed."""

    def __init__(self, namespace, words, log):
        self.words = ["ip", "netns", "exec", namespace, *map(str, words)]
        self.log = log
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.words[-1]} ended by itself with {self.process.returncode}, see {self.log}")
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks it to end."""
        self.process.send_signal(signal.SIGTERM)
        if (status := self.process.wait(STOP_SECONDS)) != 0:
            raise Failure(f"{self.words[-1]} ended with {status} on SIGTERM, see {self.log}")


class Rounds(threading.Thread):
    """Starts a round of a plan whenever there is none, through whatever coordinator is there."""

    def __init__(self, plan, command):
        super().__init__(daemon=True)
        self.plan, self.command = plan, command
        self.started = 0
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(0.5):
            with contextlib.suppress(subprocess.SubprocessError, ValueError):
                if self.has_ended():
                    key = f"{self.plan}-{self.started}"
                    self.ask("round", "start", self.plan, "--idempotency-key", key)
                    self.started += 1

    def has_ended(self):
        return all(entry["phase"] in ENDED for entry in self.list())

    def list(self):
        return self.ask("round", "list", self.plan)["rounds"]

    def ask(self, *words):
        asked = subprocess.run(self.command(*words), check=True, capture_output=True, timeout=20)
        return json.loads(asked.stdout)


class Drill:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.directory = pathlib.Path(options.coordinator)
        self.logs = self.directory.parent
        self.coordinator_kills = []  # when, in Unix seconds
        self.agent_kills = 0
        self.agents = [f"agent{number}" for number in range(len(options.agent))]
        self.network = Network(self.agents)
        self.network.lose(LOSS_PERCENT)
        self.daemons = {}
        self.plans = [Rounds(plan, self.command) for plan in options.plan]

    def program(self, name):
        return pathlib.Path(self.options.programs) / name

    def command(self, *words):
        """An administration command, given at the coordinator's own machine."""
        program = self.program("tributary-coordinator")
        return ["ip", "netns", "exec", COORDINATOR, program, *words, "--dir", self.directory, "--json"]

    def start(self):
        serve = [self.program("tributary-coordinator"), "serve", "--dir", self.directory]
        self.daemons[COORDINATOR] = Daemon(COORDINATOR, serve, self.logs / "faults-coordinator.log")
        port = (self.directory / "admin/address").read_text().strip().rpartition(":")[2]
        relay = pathlib.Path(__file__).parent / "relay.py"
        for name, configuration in zip(self.agents, self.options.agent):
            words = [sys.executable, relay, port, COORDINATOR_HOST, DELAY_SECONDS]
            Daemon(name, words, self.logs / "faults-relay.log")
            words = [self.program("tributary-agentd"), "--config", configuration]
            self.daemons[name] = Daemon(name, words, self.logs / f"faults-{name}.log")

    @contextlib.contextmanager
    def listening_everywhere(self):
        """Lets the coordinator be reached from outside its namespace, as long as it is in one."""
        file = self.directory / "coordinator.toml"
        before = file.read_text()
        file.write_text(before.replace('listen = "127.0.0.1"', 'listen = "0.0.0.0"', 1))
        try:
            yield
        finally:
            file.write_text(before)

    def run(self):
        with self.listening_everywhere():
            return self.run_fleet()

    def run_fleet(self):
        self.start()
        for plan in self.plans:
            plan.start()
        before_and_after = (self.options.seconds - PARTITION_SECONDS) / 2
        self.kill_for(before_and_after, self.agents)
        cut = time.monotonic()
        self.network.cut(self.agents[:2])
        self.kill_for(PARTITION_SECONDS, self.agents[2:])
        partition = time.monotonic() - cut
        self.network.heal()
        self.kill_for(before_and_after, self.agents)
        for plan in self.plans:
            plan.is_over.set()
        for plan in self.plans:
            plan.join()
        rounds = self.drain()
        lost = self.network.lost()
        for name in [*self.agents, COORDINATOR]:
            self.daemons[name].stop()
        return self.summary(rounds, lost, partition)

    def kill_for(self, seconds, agents):
        """Kills the coordinator or an agent every few seconds."""
        end = time.monotonic() + seconds
        while (pause := self.random.uniform(2, 5)) < end - time.monotonic():
            time.sleep(pause)
            name = self.random.choice([COORDINATOR, self.random.choice(agents)])
            self.daemons[name].kill()
            if name == COORDINATOR:
                self.coordinator_kills.append(time.time())
            else:
                self.agent_kills += 1
            time.sleep(self.random.uniform(0, 1.5))
            self.daemons[name].start()
        time.sleep(max(0, end - time.monotonic()))

    def drain(self):
        """Every round, once all of them have ended."""
        deadline = time.monotonic() + DRAIN_SECONDS
        rounds = []
        while time.monotonic() < deadline:
            time.sleep(0.5)
            with contextlib.suppress(subprocess.SubprocessError, ValueError):
                rounds = [entry for plan in self.plans for entry in plan.list()]
                if all(entry["phase"] in ENDED for entry in rounds):
                    return rounds
        raise Failure(f"not ended within {DRAIN_SECONDS} s: {[r for r in rounds if r['phase'] not in ENDED]}")

    def summary(self, rounds, lost, partition):
        def outlived(entry):
            end = entry["started_unix"] + entry["seconds"]
            return any(entry["started_unix"] + 1 < kill < end - 1 for kill in self.coordinator_kills)

        published = [entry for entry in rounds if entry["phase"] == "published"]
        return {
            "coordinator_kills": len(self.coordinator_kills), "agent_kills": self.agent_kills,
            "packets_lost": lost, "partition_seconds": partition, "rounds": len(rounds),
            "published": len(published), "outlived": sum(map(outlived, published)),
            "without_reason": [r["round"] for r in rounds if r["phase"] == "abandoned" and not r["reason"]],
            "reasons": sorted({entry["reason"] for entry in rounds if entry["phase"] == "abandoned"}),
            "faults": inspect(self.directory / "registry.sqlite"),
        }  # fmt: skip


def inspect(registry):
    """What is wrong with the registry: read by SQLite alone, while nobody serves it."""
    with contextlib.closing(sqlite3.connect(registry)) as store:
        charges = store.execute("SELECT plan, round, attempt FROM ledger").fetchall()
        private = {plan for plan, *_ in charges}
        releases = store.execute("SELECT plan, id, attempt FROM rounds WHERE aggregateDigest IS NOT NULL").fetchall()
        models = store.execute("SELECT plan, version, round FROM models ORDER BY plan, version").fetchall()
    faults = [f"{release} has no charge" for release in releases if release[0] in private and release not in charges]
    faults += [f"{charge} is charged twice" for charge in set(charges) if charges.count(charge) > 1]
    for plan in {plan for plan, *_ in models}:
        versions = [version for name, version, _ in models if name == plan]
        rounds = [number for name, version, number in models if name == plan and version > 0]
        if versions != list(range(len(versions))):
            faults.append(f"the versions of {plan} are {versions}")
        if len(set(rounds)) != len(rounds):
            faults.append(f"a round of {plan} is published twice: {rounds}")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probe", action="store_true")
    parser.add_argument("--probe-inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--programs", help="the directory of tributary-coordinator and tributary-agentd")
    parser.add_argument("--coordinator", help="the state directory of a coordinator that is stopped")
    parser.add_argument("--agent", action="append", help="the configuration of an agent that is stopped")
    parser.add_argument("--plan", action="append")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.seconds < LEAST_SECONDS:
        parser.error(f"--seconds is at least {LEAST_SECONDS}")
    if options.probe:
        print(probe() or "", end="")
        return 0
    if options.probe_inside:
        probe_inside()
        return 0
    if "FLEET_FAULTS_INSIDE" not in os.environ:
        enter_namespaces()
    print(json.dumps(Drill(options).run()))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"fleet_faults.py: {error}", file=sys.stderr)
        sys.exit(1)
