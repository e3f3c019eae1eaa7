#!/usr/bin/env python3
"""Checks a signed model directory with every tool given, then that each tool rejects it after a change.

usage: check_signed_model.py MODEL_DIR PUBLIC_KEY.pem [--signature FILE]
           [--tributary-verify PROGRAM] [--model-signing PROGRAM] [--auditor PROGRAM]

The signature defaults to MODEL_DIR.sig; an auditor takes MODEL_DIR, signature and key. The originals are not touched.
Exit status 0 when every tool accepts the original and rejects every change.
"""
import argparse
import concurrent.futures
import os
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
    parser.add_argument("--auditor")
    parsed = parser.parse_args()
    parsed.signature = parsed.signature or pathlib.Path(f"{parsed.directory}.sig")
    return parsed


# From program, directory, signature and key to the command that checks them.
COMMANDS = {
    "tributary_verify": lambda program, directory, signature, key: [
        program, "model", directory, "--signature", signature, "--key", key],
    "model_signing": lambda program, directory, signature, key: [
        program, "verify", "key", "--no-ignore-git-paths", "--signature", signature,
        "--public_key", key, directory],
    "auditor": lambda program, directory, signature, key: [program, directory, signature, key],
}


def accepts(command):
    """Whether the command exits 0; exit 1 is a no, and anything else is no answer at all."""
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} could not check: {result.stderr.strip()}")
    return result.returncode == 0


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def remove_a_file(directory, _):
    min(path for path in directory.rglob("*") if path.is_file()).unlink()


def change_a_byte(directory, _):
    largest = max((p for p in directory.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    flip(largest, largest.stat().st_size // 2)


def add_a_file(directory, _):
    (directory / "extra.txt").write_text("x")


def add_a_hidden_file(directory, _):
    (directory / ".git").mkdir()
    (directory / ".git" / "evil").write_text("x")


def change_the_statement(_, signature):
    flip(signature, signature.read_text().index('"payload":') + 100)


def change_the_signature(_, signature):
    flip(signature, signature.read_text().index('"sig":') + 20)


CHANGES = [
    change_a_byte, remove_a_file, add_a_file, add_a_hidden_file, change_the_statement,
    change_the_signature,
]


def verdict(tool, change, options):
    """What the tool says about the original, or about a changed copy."""
    command, program = COMMANDS[tool], getattr(options, tool)
    if change is None:
        return accepts(command(program, options.directory, options.signature, options.key))
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch, options.directory.resolve().name)
        signature = pathlib.Path(scratch, "model.sig")
        shutil.copytree(options.directory, directory)
        shutil.copyfile(options.signature, signature)
        change(directory, signature)
        return accepts(command(program, directory, signature, options.key))


def main():
    options = arguments()
    cases = [
        (tool, change) for tool in COMMANDS if getattr(options, tool) for change in [None, *CHANGES]
    ]
    if not cases:
        sys.exit("name at least one tool")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(lambda case: verdict(*case, options), cases))
    wrong = 0
    for (tool, change), accepted in zip(cases, verdicts):
        right = accepted == (change is None)
        wrong += not right
        words = f"rejects it after: {change.__name__}" if change else "accepts the original"
        print(f"{'ok' if right else 'WRONG':6} {tool:17} {words.replace('_', ' ')}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
