#!/usr/bin/env python3
"""Stands between one agent and its coordinator, with the coordinator's own server key, and changes one thing.

usage: tampering.py KIND --proto DIRECTORY --coordinator DIRECTORY --agent DIRECTORY

KIND is what the agent is shown that is wrong:
  signature  a bundle whose signature is another's, under a digest that fits it
  proof      a log proof that lacks its last hash
  older      once version 1 has been seen for a while: version 0
  shorter    at check-in, a checkpoint of a shorter log: the first that was seen, once two others were
DIRECTORY of --coordinator and --agent are state directories. Prints the port that it listens on, then a line for each
connection. Ends only when it is killed. Needs the command `protoc`.
"""
import argparse
import base64
import hashlib
import json
import pathlib
import socket
import ssl
import struct
import sys
import threading

from connection import ALPN, Address, Connection, Failure, envelope_class

SEEN_BEFORE_GOING_BACK = 2


def read_exactly(connection, count):
    content = b""
    while len(content) < count:
        piece = connection.recv(count - len(content))
        if not piece:
            raise EOFError
        content += piece
    return content


def read_frame(connection):
    (length,) = struct.unpack(">I", read_exactly(connection, 4))
    return read_exactly(connection, length)


class Double:
    def __init__(self, options):
        self.kind = options.kind
        self.envelope = envelope_class(options.proto)
        state = options.coordinator
        self.address = Address((state / "admin" / "address").read_text().strip())
        self.authority = (state / "certificates" / "fleet-ca.crt").read_text()
        self.credential = (str(options.agent / "agent.crt"), str(options.agent / "agent.key"))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.set_alpn_protocols([ALPN])
        self.context.load_cert_chain(str(state / "certificates" / "server.crt"), str(state / "keys" / "server.key"))
        self.context.load_verify_locations(cadata=self.authority)
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.blobs = {}
        self.first_model = None
        self.newer_seen = 0
        self.checkpoints = []

    def listen(self):
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        while True:
            raw, _ = listener.accept()
            threading.Thread(target=self.serve, args=(raw,), daemon=True).start()

    def serve(self, raw):
        print("connection", flush=True)
        try:
            with self.context.wrap_socket(raw, server_side=True) as agent, Connection(
                self.address, self.authority, self.envelope, self.credential
            ) as upstream:
                while True:
                    self.pass_on(read_frame(agent), agent, upstream)
        except (EOFError, OSError, Failure) as error:
            print(f"ended: {error}", file=sys.stderr, flush=True)

    def pass_on(self, frame, agent, upstream):
        question = self.envelope.FromString(frame)
        kind = question.WhichOneof("body")
        if kind == "blob_request" and question.blob_request.digest in self.blobs:
            content = self.blobs[question.blob_request.digest]
            answer = self.envelope(
                blob_chunk={
                    "digest": question.blob_request.digest, "offset": question.blob_request.offset,
                    "total_size": len(content), "data": content[question.blob_request.offset:],
                }
            )  # fmt: skip
        else:
            upstream.socket.sendall(struct.pack(">I", len(frame)) + frame)
            if kind == "submit_chunk":  # has no answer
                return
            answer = self.envelope.FromString(read_frame(upstream.socket))
            self.tamper(answer, upstream)
        payload = answer.SerializeToString()
        agent.sendall(struct.pack(">I", len(payload)) + payload)

    def tamper(self, answer, upstream):
        kind = answer.WhichOneof("body")
        if kind == "log_proof" and self.kind == "proof":
            answer.log_proof.proof = self.shortened(answer.log_proof.proof)
        if kind != "check_in_response":
            return
        if self.kind == "shorter":
            answer.check_in_response.log_checkpoint = self.older_checkpoint(answer.check_in_response.log_checkpoint)
        for model in self.models(answer.check_in_response):
            if self.kind == "signature":
                self.forge(model, upstream)
            if self.kind == "older":
                self.set_back(model)

    def models(self, response):
        served = [state.serving for state in response.plans if state.HasField("serving")]
        if response.WhichOneof("next") == "assignment":
            served.append(response.assignment.base_model)
        return served

    def shortened(self, proof):
        head, checkpoint = proof.split(b"\n\n", 1)
        return b"\n".join(head.split(b"\n")[:-1]) + b"\n\n" + checkpoint

    def older_checkpoint(self, note):
        if note not in self.checkpoints:
            self.checkpoints.append(note)
        return self.checkpoints[0] if len(self.checkpoints) > 2 else note

    def set_back(self, model):
        if self.first_model is None:
            self.first_model = type(model)()
            self.first_model.CopyFrom(model)
        if model.version > self.first_model.version:
            self.newer_seen += 1
            if self.newer_seen > SEEN_BEFORE_GOING_BACK:
                model.CopyFrom(self.first_model)

    def forge(self, model, upstream):
        """The same bundle with one bit of the signature changed."""
        bundle = json.loads(self.download(upstream, model.signature_digest, model.signature_size))
        signature = bundle["dsseEnvelope"]["signatures"][0]
        content = bytearray(base64.b64decode(signature["sig"]))
        content[-1] ^= 1
        signature["sig"] = base64.b64encode(content).decode()
        forged = json.dumps(bundle, separators=(",", ":")).encode()
        model.signature_digest = hashlib.sha256(forged).digest()
        model.signature_size = len(forged)
        self.blobs[model.signature_digest] = forged

    def download(self, upstream, digest, size):
        content = b""
        while len(content) < size:
            content += upstream.exchange(
                "blob_chunk", blob_request={"digest": digest, "offset": len(content)}
            ).data
        return content


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["signature", "proof", "older", "shorter"])
    parser.add_argument("--proto", required=True)
    parser.add_argument("--coordinator", required=True, type=pathlib.Path)
    parser.add_argument("--agent", required=True, type=pathlib.Path)
    Double(parser.parse_args()).listen()


if __name__ == "__main__":
    main()
