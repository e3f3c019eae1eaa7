#!/usr/bin/env python3
"""Checks a signed model directory with every tool given, then that each tool rejects it after a change.

usage: check_signed_model.py MODEL_DIR PUBLIC_KEY.pem [--signature FILE] [--other-signature FILE]
           [--trust FILE] [--proof FILE] [--authority CERTIFICATE.pem]
           [--tributary-verify PROGRAM] [--model-signing PROGRAM] [--auditor PROGRAM]

The signature defaults to MODEL_DIR.sig; an auditor takes MODEL_DIR, signature and key. With a trust set and a proof
tributary-verify checks those too, and with an authority model_signing checks the signature's certificates as well. Another
version's signature, if given, is one of the changes. The originals are not touched. Exit status 0 when every tool accepts
the original and rejects every change.
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
    parser.add_argument("--other-signature", type=pathlib.Path)
    parser.add_argument("--trust", type=pathlib.Path)
    parser.add_argument("--proof", type=pathlib.Path)
    parser.add_argument("--authority", type=pathlib.Path)
    parser.add_argument("--tributary-verify")
    parser.add_argument("--model-signing")
    parser.add_argument("--auditor")
    parsed = parser.parse_args()
    parsed.signature = parsed.signature or pathlib.Path(f"{parsed.directory}.sig")
    return parsed


def commands(options):
    """For each tool that is there: from directory and signature to the command that checks them."""
    found = {}
    if options.tributary_verify:
        found["tributary_verify"] = lambda directory, signature: [
            options.tributary_verify, "model", directory, "--signature", signature, "--key", options.key]
    if options.tributary_verify and options.trust:
        found["verify --trust"] = lambda directory, signature: [
            options.tributary_verify, "model", directory, "--signature", signature, "--trust", options.trust,
            "--proof", options.proof, "--state", signature.with_name("checkpoint")]
    if options.model_signing:
        verify = [options.model_signing, "verify"]
        # A bundle with certificates names no key.
        if not options.authority:
            found["model_signing key"] = lambda directory, signature: [
                *verify, "key", "--no-ignore-git-paths", "--signature", signature, "--public_key", options.key,
                directory]
        else:
            found["model_signing certificate"] = lambda directory, signature: [
                *verify, "certificate", "--no-ignore-git-paths", "--signature", signature,
                "--certificate_chain", options.authority, directory]
    if options.auditor:
        found["auditor"] = lambda directory, signature: [options.auditor, directory, signature, options.key]
    return found


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


def each_file(change, words):
    """For each file of the directory: `change` of it, under a name that says so."""
    def named(name):
        def apply(directory, _):
            change(directory / name)
        apply.__name__ = f"{words} {name}"
        return apply
    return named


change_a_byte = each_file(lambda path: flip(path, path.stat().st_size // 2), "one byte of")
remove = each_file(lambda path: path.unlink(), "removal of")


def add_a_file(directory, _):
    (directory / "extra.txt").write_text("x")


def add_a_hidden_file(directory, _):
    (directory / ".git").mkdir()
    (directory / ".git" / "evil").write_text("x")


def change_the_statement(_, signature):
    flip(signature, signature.read_text().index('"payload":') + 100)


def change_the_signature(_, signature):
    flip(signature, signature.read_text().index('"sig":') + 20)


def swap_the_signature(other):
    def another_versions_signature(_, signature):
        shutil.copyfile(other, signature)
    return another_versions_signature


def changes(options):
    names = sorted(str(p.relative_to(options.directory)) for p in options.directory.rglob("*") if p.is_file())
    made = [change(name) for name in names for change in (change_a_byte, remove)]
    made += [add_a_file, add_a_hidden_file, change_the_statement, change_the_signature]
    return made + ([swap_the_signature(options.other_signature)] if options.other_signature else [])


def verdict(command, change, options):
    """What a tool says about the original, or about a changed copy."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch, options.directory.resolve().name)
        signature = pathlib.Path(scratch, "model.sig")
        shutil.copytree(options.directory, directory)
        shutil.copyfile(options.signature, signature)
        if change:
            change(directory, signature)
        return accepts(command(directory, signature))


def main():
    options = arguments()
    cases = [
        (tool, command, change) for tool, command in commands(options).items()
        for change in [None, *changes(options)]
    ]
    if not cases:
        sys.exit("name at least one tool")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(lambda case: verdict(case[1], case[2], options), cases))
    wrong = 0
    for (tool, _, change), accepted in zip(cases, verdicts):
        right = accepted == (change is None)
        wrong += not right
        words = f"rejects it after: {change.__name__}" if change else "accepts the original"
        print(f"{'ok' if right else 'WRONG':6} {tool:25} {words.replace('_', ' ')}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
