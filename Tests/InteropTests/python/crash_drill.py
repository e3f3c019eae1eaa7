#!/usr/bin/env python3
"""Kills a coordinator at random moments of private rounds and reads its registry after each kill.

usage: crash_drill.py --proto DIRECTORY --token TOKEN --plan NAME --state DIRECTORY --program COORDINATOR
                      --coordinator DIRECTORY [--kills 100] [--seed 1]

Half of the kills come at any moment, half within milliseconds of the last update's acceptance, when the ledger is
charged, noise is drawn and a version is published. One agent, written here, takes part. After each kill SQLite, not
the coordinator, is asked whether the ledger understates what was released, or anything was released twice, or a round
was given up. Prints a JSON object. Exit status 0 when every kill left a registry in order.
"""
import argparse
import collections
import contextlib
import json
import pathlib
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import client
from connection import Failure

ROUNDS_A_JOB = 3
client.say = lambda step, **facts: None  # standard output is for the drill's own answer


class Agent(client.Client):
    """Takes part in every round, with an update of zeros, until the coordinator dies."""

    def __init__(self, options):
        super().__init__(options)
        self.accepted = threading.Event()

    def work(self):
        with contextlib.suppress(Failure, OSError):
            with self.connect((self.certificate, self.key)) as connection:
                state = self.await_plan(connection)
                while True:
                    answer = self.check_in(connection, state)
                    if answer.WhichOneof("next") == "assignment":
                        update = bytes(len(self.encode(answer.assignment.lattice)))
                        self.submit(connection, answer.assignment, update)
                        self.accepted.set()


class Drill:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.agent = Agent(options)
        self.directory = pathlib.Path(options.coordinator)
        self.phases = collections.Counter()
        self.charges = []

    def command(self, *words):
        return [self.options.program, *words, "--dir", str(self.directory)]

    @contextlib.contextmanager
    def coordinator(self):
        with open(self.directory.parent / "drill.log", "ab") as log:
            process = subprocess.Popen(self.command("serve"), stdout=log, stderr=log)
        try:
            self.await_port(process)
            yield process
        finally:
            process.kill()
            process.wait()

    def await_port(self, process):
        host, _, port = (self.directory / "admin/address").read_text().strip().rpartition(":")
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    return
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure("the coordinator did not start again")
            time.sleep(0.005)

    def start_rounds(self):
        words = self.command("round", "start", self.options.plan, "--rounds", str(ROUNDS_A_JOB))
        subprocess.run(words, check=True, capture_output=True)

    def kill_once(self, number, span):
        self.agent.accepted.clear()
        with self.coordinator() as process:
            worker = threading.Thread(target=self.agent.work, daemon=True)
            worker.start()
            self.start_rounds()
            if number % 2:
                self.agent.accepted.wait(20)
                time.sleep(self.random.uniform(0, 0.03))
            else:
                time.sleep(self.random.uniform(0, span))
            process.send_signal(signal.SIGKILL)
            process.wait()
            worker.join(20)

    def measure(self):
        """Seconds that a job of rounds takes here, once the agent is known."""
        with self.coordinator():
            threading.Thread(target=self.agent.work, daemon=True).start()
            words = self.command("round", "start", self.options.plan, "--rounds", str(ROUNDS_A_JOB), "--watch")
            times = []
            for _ in range(2):
                began = time.monotonic()
                subprocess.run(words, check=True, capture_output=True)
                times.append(time.monotonic() - began)
            return min(times)

    def run(self):
        with self.coordinator():
            self.agent.enrol()
        span = self.measure()
        for number in range(self.options.kills):
            self.kill_once(number, span)
            self.charges = self.inspect(self.directory / "registry.sqlite")
        with self.coordinator():
            self.start_rounds()  # It still works after all that.
        return self.summary()

    def inspect(self, registry):
        """Every charge, once the registry is found in order."""
        with contextlib.closing(sqlite3.connect(registry)) as store:
            self.phases.update(phase for (phase,) in store.execute(
                "SELECT phase FROM rounds WHERE phase NOT IN ('published', 'abandoned')"))  # fmt: skip
            charges = store.execute("SELECT plan, round, attempt, epsilonAfter FROM ledger ORDER BY rowid").fetchall()
            releases = store.execute(
                "SELECT plan, id, attempt FROM rounds WHERE aggregateDigest IS NOT NULL").fetchall()  # fmt: skip
            lost = store.execute("SELECT id, reason FROM rounds WHERE phase = 'abandoned'").fetchall()
            published = store.execute("SELECT plan, version, round FROM models ORDER BY plan, version").fetchall()
            leaves = [bytes(leaf) for (leaf,) in store.execute("SELECT leaf FROM events ORDER BY number")]
            dimension = self.aggregate_bytes(store)
        demand(charges[: len(self.charges)] == self.charges, "a charge of before the crash has changed")
        spent = [epsilon for *_, epsilon in charges]
        demand(all(low < high for low, high in zip(spent, spent[1:])), "the ledger does not grow with every charge")
        demand(not lost, f"rounds were given up: {lost}")
        charged = {tuple(charge[:3]) for charge in charges}
        demand(len(charged) == len(charges), "an attempt is charged twice")
        demand(set(releases) <= charged, "the ledger understates: a release has no charge")
        versions = [version for _, version, _ in published]
        demand(versions == list(range(len(versions))), f"versions are {versions}")
        rounds = [number for _, _, number in published if number > 0]
        demand(len(set(rounds)) == len(rounds), "a round was published twice")
        for kind, most in (("budgetCharged", len(charges)), ("roundSealed", len(releases))):
            count = sum(f'"{kind}"'.encode() in leaf for leaf in leaves)
            demand(count == most, f"{count} events {kind} for {most} of them in the registry")
        if dimension:
            blobs = [blob for blob in (self.directory / "blobs").rglob("*") if blob.is_file()]
            sums = sum(blob.stat().st_size == dimension and not is_text(blob) for blob in blobs)
            demand(sums <= len(charges), f"{sums} noised sums are on the disk for {len(charges)} charges")
        return charges

    def aggregate_bytes(self, store):
        """Size of a noised sum on the disk, which no other blob but a text has; None before the first."""
        row = store.execute("SELECT aggregateDigest FROM rounds WHERE aggregateDigest IS NOT NULL").fetchone()
        if row is None:
            return None
        name = bytes(row[0]).hex()
        return next((self.directory / "blobs").rglob(f"*{name}")).stat().st_size

    def notices_a_lost_charge(self):
        """Whether `inspect` finds the fault it is there for, in a copy of the registry."""
        copy = self.directory.parent / "doctored.sqlite"
        with contextlib.closing(sqlite3.connect(self.directory / "registry.sqlite")) as store:
            with contextlib.closing(sqlite3.connect(copy)) as doctored:
                store.backup(doctored)
                doctored.execute(
                    "DELETE FROM ledger WHERE round = (SELECT max(id) FROM rounds WHERE aggregateDigest IS NOT NULL)")  # fmt: skip
                doctored.commit()
        known, self.charges = self.charges, []
        try:
            self.inspect(copy)
            return False
        except Failure as failure:
            return "understates" in str(failure)
        finally:
            self.charges = known
            copy.unlink()

    def summary(self):
        with contextlib.closing(sqlite3.connect(self.directory / "registry.sqlite")) as store:
            count = store.execute("SELECT count(*) FROM rounds WHERE aggregateDigest IS NOT NULL").fetchone()[0]
        return {
            "kills": self.options.kills, "charges": len(self.charges), "releases": count,
            "phases_at_death": dict(self.phases), "notices_a_lost_charge": self.notices_a_lost_charge(),
        }  # fmt: skip


def is_text(blob):
    """Cards, statements and bundles have no zero byte, and no byte 255, of which every small integer has one."""
    content = blob.read_bytes()
    return not (b"\0" in content or b"\xff" in content)


def demand(condition, words):
    if not condition:
        raise Failure(words)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proto", required=True, help="the directory that holds tributary/v1/*.proto")
    parser.add_argument("--token", required=True)
    parser.add_argument("--plan", required=True)
    parser.add_argument("--state", required=True, type=pathlib.Path, help="made anew, for the agent's key")
    parser.add_argument("--program", required=True)
    parser.add_argument("--coordinator", required=True, help="the state directory of a coordinator that is stopped")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.set_defaults(examples=1)
    print(json.dumps(Drill(parser.parse_args()).run()))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"crash_drill.py: {error}", file=sys.stderr)
        sys.exit(1)
