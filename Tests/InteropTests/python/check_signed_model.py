#!/usr/bin/env python3
"""Checks a signed model directory with every tool given, then that each tool rejects it after a change.

usage: check_signed_model.py MODEL_DIR PUBLIC_KEY.pem [--signature FILE]
           [--tributary-verify PROGRAM] [--model-signing PROGRAM]

The signature defaults to MODEL_DIR.sig. Besides the tools named, openssl and this script's own hashing check the
signature, so that the result does not rest on any one implementation. The originals are not touched. Exit status 0
when every tool accepts the original and rejects every change.
"""
import argparse
import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("key", type=pathlib.Path)
    parser.add_argument("--signature", type=pathlib.Path)
    parser.add_argument("--tributary-verify")
    parser.add_argument("--model-signing")
    parsed = parser.parse_args()
    parsed.signature = parsed.signature or pathlib.Path(f"{parsed.directory}.sig")
    return parsed


def succeeds(*command):
    """Whether the command exits 0; exit 1 is a no, and anything else is no answer at all."""
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        sys.exit(f"{command[0]} could not check: {result.stderr.strip()}")
    return result.returncode == 0


def openssl_accepts(directory, signature, key):
    """The bundle's signature by the openssl command, the files by hashlib."""
    try:
        envelope = json.loads(signature.read_bytes())["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        kind = envelope["payloadType"].encode()
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        with tempfile.TemporaryDirectory() as scratch:
            message, raw = pathlib.Path(scratch, "message"), pathlib.Path(scratch, "signature")
            message.write_bytes(signed)
            raw.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"], validate=True))
            if not succeeds("openssl", "dgst", "-sha256", "-verify", key, "-signature", raw, message):
                return False
        stated = {r["name"]: r["digest"] for r in json.loads(payload)["predicate"]["resources"]}
    except (ValueError, KeyError, TypeError, IndexError):
        return False
    found = {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*") if path.is_file()
    }
    return found == stated


def tools(options):
    """Each tool's name and a function that tells whether it accepts a directory and a signature."""
    key = options.key
    yield "openssl", lambda directory, signature: openssl_accepts(directory, signature, key)
    if program := options.tributary_verify:
        yield "tributary-verify", lambda directory, signature: succeeds(
            program, "model", directory, "--signature", signature, "--key", key)
    if program := options.model_signing:
        yield "model_signing", lambda directory, signature: succeeds(
            program, "verify", "key", "--no-ignore-git-paths", "--signature", signature,
            "--public_key", key, directory)


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def remove_a_file(directory, _):
    min(path for path in directory.rglob("*") if path.is_file()).unlink()


def change_a_byte(directory, _):
    largest = max((p for p in directory.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    flip(largest, largest.stat().st_size // 2)


def add_a_hidden_file(directory, _):
    (directory / ".git").mkdir()
    (directory / ".git" / "evil").write_text("x")


def change_the_statement(_, signature):
    flip(signature, signature.read_text().index('"payload":') + 100)


def change_the_signature(_, signature):
    flip(signature, signature.read_text().index('"sig":') + 20)


CHANGES = [change_a_byte, remove_a_file, add_a_hidden_file, change_the_statement, change_the_signature]


def main():
    options = arguments()
    wrong = 0

    def report(right, tool, words):
        nonlocal wrong
        wrong += not right
        print(f"{'ok' if right else 'WRONG':6} {tool:17} {words}")

    for tool, accepts in tools(options):
        report(accepts(options.directory, options.signature), tool, "accepts the original")
        for change in CHANGES:
            with tempfile.TemporaryDirectory() as scratch:
                directory = pathlib.Path(scratch, options.directory.resolve().name)
                signature = pathlib.Path(scratch, "model.sig")
                shutil.copytree(options.directory, directory)
                shutil.copyfile(options.signature, signature)
                change(directory, signature)
                words = change.__name__.replace("_", " ")
                report(not accepts(directory, signature), tool, f"rejects it after: {words}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
