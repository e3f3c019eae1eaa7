"""A small fleet of real programs on loopback, for pages that have something to show."""
import json
import os
import pathlib
import random
import secrets
import signal
import socket
import subprocess
import time

PLAN = """[plan]
name = "{name}"
title = "Beads of three kinds"

[data]
format = "csv"
file = "rows.csv"
label_column = "label"
features = 4
classes = 3

[[model.layers]]
units = 16

[[model.layers]]
units = 3

[training]
epochs = {epochs}
learning_rate = 0.02

[teacher]
hidden = [16]
epochs = 5
learning_rate = 0.05

[distillation]
epochs = 10
learning_rate = 0.05

[round]
agents = {agents}
minimum = 0
selection_seconds = 10
report_seconds = 60
lease_seconds = 20

[clipping]
norm = 1.0

[privacy]
noise_multiplier = 0.5
delta = 1e-5
agents = {agents}
max_epsilon = 400

[server]

[sealing]
max_accuracy_drop = 1
"""


def rows(count, seed):
    """Labelled rows that no model can tell apart perfectly."""
    dice = random.Random(seed)
    lines = ["a,b,c,d,label"]
    for _ in range(count):
        label = dice.randrange(3)
        values = [dice.gauss(1.2 if column == label else 0, 1) for column in range(4)]
        lines.append(",".join(f"{value:.4f}" for value in values) + f",{label}")
    return "\n".join(lines) + "\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Fleet:
    """A coordinator and its agents, in a directory of their own."""

    def __init__(self, programs, base, agents=3):
        self.programs = pathlib.Path(programs)
        self.base = pathlib.Path(base)
        self.state = self.base / "coordinator"
        self.agents = agents
        self.processes = []
        self.dashboard = None

    def environment(self):
        """Runs are recorded here and not among those of whoever runs this."""
        return os.environ | {"TRIBUTARY_RUNS": str(self.base / "runs")}

    def coordinator(self, *words):
        command = [self.programs / "tributary-coordinator", *words, "--dir", self.state, "--json"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(str(part) for part in words)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def initialise(self, dashboard=""):
        """A new state directory; `dashboard` is what its [dashboard] says besides the port."""
        self.coordinator(
            "init", "--address", "127.0.0.1", "--port", free_port(), "--http-port", 0, "--dashboard-port", 0,
            "--fleet", "beads",
        )  # fmt: skip
        for name, count, seed in (("public", 300, 1), ("test", 200, 2)):
            folder = self.base / "data" / name
            folder.mkdir(parents=True)
            (folder / "rows.csv").write_text(rows(count, seed))
        file = self.state / "coordinator.toml"
        text = file.read_text()
        if dashboard:
            text = text.replace('[dashboard]\nlisten = "127.0.0.1"', f"[dashboard]\n{dashboard}")
        file.write_text(
            text + '\n[check_in]\ncome_back_seconds = 1\n\n[storage]\nmin_free_mib = 0\n\n[data.beads]\n'
            'public = "../data/public"\ntest = "../data/test"\n'
        )

    def serve(self):
        self.start("tributary-coordinator", "serve", "--dir", self.state, log="coordinator.log")
        self.dashboard = self.wait(self.find_dashboard, "the dashboard's address in doctor")

    def find_dashboard(self):
        command = [self.programs / "tributary-coordinator", "doctor", "--dir", self.state, "--json"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        # It exits with 1 when something is to be done, and tells the address all the same.
        address = json.loads(done.stdout.strip().splitlines()[-1])["dashboard"] if done.stdout.strip() else None
        return address.rstrip("/") if address else None

    def apply_plan(self, epochs=1):
        file = self.base / "beads.toml"
        file.write_text(PLAN.format(name="beads", epochs=epochs, agents=self.agents))
        self.coordinator("plan", "apply", file)
        self.wait(lambda: self.coordinator("plan", "show", "beads")["state"] == "ready", "the plan to be ready")

    def start_agents(self):
        for number in range(self.agents):
            home = self.base / f"agent-{number}"
            (home / "data").mkdir(parents=True)
            (home / "data" / "rows.csv").write_text(rows(400, 10 + number))
            config = home / "agent.toml"
            config.write_text('[agent]\nstate_directory = "state"\n\n[data.beads]\ndirectory = "data"\n')
            token = self.coordinator("agent", "token", "--uses", 1)["token"]
            enrol = [self.programs / "tributary-agent", "enroll", "--config", config, "--token", token]
            subprocess.run([str(part) for part in enrol], check=True, capture_output=True)
            self.start("tributary-agentd", "--config", config, log=f"agent-{number}.log")
        self.wait(
            lambda: self.coordinator("status")["agents_here"] == self.agents, "every agent to wait for work"
        )

    def simulate(self, seed):
        """Records a simulated run of the plan."""
        folder = self.base / "simulation"
        folder.mkdir(exist_ok=True)
        for split, count in (("public", 300), ("test", 200), ("train", 900)):
            (folder / f"{split}.csv").write_text(rows(count, 30))
        command = [
            self.programs / "tributary-coordinator", "simulate", self.base / "beads.toml", "--data", folder,
            "--agents", 3, "--rounds", 6, "--seed", seed,
        ]  # fmt: skip
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, env=self.environment()
        )
        if done.returncode != 0:
            raise RuntimeError(f"simulate: {done.stdout}{done.stderr}")

    def run_rounds(self, count):
        """Starts a job of rounds; its number."""
        return self.coordinator("round", "start", "beads", "--rounds", count)["job"]

    def finish(self, job):
        self.wait(
            lambda: next(j for j in self.coordinator("job", "list")["jobs"] if j["job"] == job)["state"] == "finished",
            f"job {job} to finish", 120,
        )  # fmt: skip

    def start(self, program, *words, log):
        command = [str(self.programs / program), *(str(word) for word in words)]
        with open(self.base / log, "wb") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=self.environment(),
            )
        self.processes.append((process, log))

    def wait(self, look, what, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            for process, log in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"a program ended by itself: {(self.base / log).read_text()[-2000:]}")
            try:
                found = look()
            except (RuntimeError, KeyError, StopIteration):
                found = None
            if found:
                return found
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {seconds} s for {what}")
            time.sleep(0.1)

    def stop(self):
        """Stops what this fleet started; the seconds that took."""
        began = time.monotonic()
        for process, _ in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process, _ in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []
        return time.monotonic() - began


def new_token(file):
    token = secrets.token_hex(32)
    file.write_text(token + "\n")
    file.chmod(0o600)
    return token
