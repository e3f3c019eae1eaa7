#!/usr/bin/env python3
"""An agent in Python: enrols, takes part in one round of a plan, and ends.

usage: client.py --proto DIRECTORY --token TOKEN --plan NAME --state DIRECTORY [--examples 100]

The update is made up: +1, 0 or -1 in each coordinate of the round's lattice, far within its norm bound. Prints a
JSON object a step. The state directory is left with the trust set, the round's base model and its signature.
Exit status 0 when the update was accepted. Needs the commands `protoc` and `openssl`.
"""
import argparse
import hashlib
import json
import pathlib
import random
import struct
import subprocess
import sys
import time

from connection import Address, Connection, Failure, envelope_class, openssl, pinned_authority

VERSION = "0.1-python"
WAIT_SECONDS = 20


def say(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


def require(condition, words):
    if not condition:
        raise Failure(words)


class Client:
    def __init__(self, options):
        self.options = options
        self.envelope = envelope_class(options.proto)
        self.key = str(options.state / "key.pem")
        self.certificate = str(options.state / "certificate.pem")

    def connect(self, credential=None):
        return Connection(self.address, self.authority, self.envelope, credential)

    def enrol(self):
        kind, address, pin, secret, _ = self.options.token.split(";")
        require(kind == "tributary1", f"this is no enrolment token: {kind}")
        self.address = Address(address)
        self.authority = pinned_authority(self.address, pin)
        self.options.state.mkdir(parents=True)
        request = openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.key, "-subj", "/CN=a client in Python", "-outform", "DER",
        )  # fmt: skip
        with self.connect() as connection:
            answer = connection.exchange(
                "enrol_response",
                enrol_request={
                    "secret": bytes.fromhex(secret), "certificate_request": request,
                    "agent_version": VERSION, "unix_seconds": int(time.time()),
                },
            )  # fmt: skip
        pem = openssl("x509", "-inform", "DER", stdin=answer.certificate)
        pathlib.Path(self.certificate).write_bytes(pem)
        (self.options.state / "trust-set.json").write_bytes(answer.trust_set)
        say("enrolled", agent=answer.agent, fleet=answer.fleet)

    def take_part(self):
        with self.connect((self.certificate, self.key)) as connection:
            state = self.await_plan(connection)
            plan = self.download(connection, state.plan_digest, state.plan_size)
            require(f'name = "{self.options.plan}"'.encode() in plan, "the text is of another plan")
            assignment = self.await_assignment(connection, state)
            self.fetch_model(connection, assignment.base_model)
            update = self.encode(assignment.lattice)
            self.submit(connection, assignment, update)

    def check_in(self, connection, state=None):
        readiness = {"plan": self.options.plan}
        if state:
            readiness |= {
                "plan_digest": state.plan_digest, "examples": self.options.examples,
                "has_model": True, "model_version": state.serving.version,
            }  # fmt: skip
        return connection.exchange(
            "check_in_response",
            check_in_request={
                "agent_version": VERSION, "plans": [readiness], "trust_set_version": 1,
                "wait_seconds": WAIT_SECONDS,
            },
        )  # fmt: skip

    def await_plan(self, connection):
        answer = self.check_in(connection)
        states = [state for state in answer.plans if state.plan == self.options.plan]
        require(states, f"the coordinator has no plan {self.options.plan}")
        return states[0]

    def await_assignment(self, connection, state):
        say("ready", plan=self.options.plan)
        for _ in range(10):
            answer = self.check_in(connection, state)
            if answer.WhichOneof("next") == "assignment":
                return answer.assignment
            time.sleep(min(1, answer.come_back_seconds))
        raise Failure("no round began")

    def download(self, connection, digest, size):
        content = b""
        while len(content) < size:
            chunk = connection.exchange(
                "blob_chunk", blob_request={"digest": digest, "offset": len(content)}
            )
            require(chunk.offset == len(content) and chunk.data, "a piece came out of turn")
            require(chunk.total_size == size, "the blob has another size than announced")
            content += chunk.data
        require(hashlib.sha256(content).digest() == digest, "the blob has another digest")
        return content

    def fetch_model(self, connection, reference):
        """Leaves the model and its signature where a verifier can look at them."""
        model = self.download(connection, reference.model_digest, reference.model_size)
        bundle = self.download(connection, reference.signature_digest, reference.signature_size)
        (self.options.state / "model").mkdir()
        (self.options.state / "model" / "model.onnx").write_bytes(model)
        (self.options.state / "model.sig").write_bytes(bundle)
        say("fetched", version=reference.version, bytes=len(model))

    def encode(self, lattice):
        """One byte a coordinate: the parameters padded to whole blocks of 2^round(log2 sqrt d)."""
        self.check_lattice(lattice)
        block = 1
        while 2 * block * block <= lattice.parameters:
            block *= 2
        dimension = -(-lattice.parameters // block) * block
        return bytes(value & 0xFF for value in random.choices((-1, 0, 1), k=dimension))

    def check_lattice(self, lattice):
        """The id is the SHA-256 of the fields, big-endian, floats as their bits."""
        fields = struct.pack(
            ">Q4xf4xf4xfQQQ", lattice.parameters, lattice.clipping_norm, lattice.step,
            lattice.kappa, lattice.rotation_seed, lattice.element_bits, lattice.modulus,
        )  # fmt: skip
        digest = hashlib.sha256(b"tributary lattice v1\n" + fields).digest()
        require(digest == lattice.id, "the lattice's id is not the digest of its fields")
        require(lattice.element_bits == 8 and lattice.modulus == 0, "an unknown kind of lattice")

    def submit(self, connection, assignment, update):
        place = {"round": assignment.round, "attempt": assignment.attempt}
        ticket = {
            **place, "submit_token": assignment.submit_token,
            "update_digest": hashlib.sha256(update).digest(),
        }  # fmt: skip
        verdicts = self.envelope().submit_status.Verdict

        def ask(**body):
            status = connection.exchange("submit_status", **body)
            return verdicts.Name(status.verdict), status

        verdict, status = ask(submit_probe=ticket)
        require(verdict == "WANTED", f"the probe was answered {verdict} {status.reason}")
        verdict, status = ask(
            submit_header={
                **ticket, "lattice_id": assignment.lattice.id,
                "base_version": assignment.base_model.version, "examples": self.options.examples,
                "updates_summed": 1, "within_clip": True, "size": len(update),
            },
        )  # fmt: skip
        require(verdict == "WANTED", f"the header was answered {verdict} {status.reason}")
        half = len(update) // 2
        connection.send(submit_chunk={"offset": 0, "data": update[:half]})
        connection.send(submit_chunk={"offset": half, "data": update[half:]})
        verdict, status = ask(submit_finish=place)
        require(verdict == "ACCEPTED", f"the update was answered {verdict} {status.reason}")
        again, _ = ask(submit_probe=ticket)
        require(again in ("DUPLICATE", "GONE"), f"the same update again was answered {again}")
        say("accepted", round=assignment.round, attempt=assignment.attempt, bytes=len(update))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proto", required=True, help="the directory that holds tributary/v1/*.proto")
    parser.add_argument("--token", required=True)
    parser.add_argument("--plan", required=True)
    parser.add_argument("--state", required=True, type=pathlib.Path, help="made anew, for key and certificate")
    parser.add_argument("--examples", type=int, default=100)
    client = Client(parser.parse_args())
    client.enrol()
    client.take_part()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"client.py: {error}", file=sys.stderr)
        sys.exit(1)
